import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Parts of the paths of test files that take a minute or more, most of them with many processes. */
const slow = [
  'test/kafka-kills',
  'gateway/execute/oracle-random',
  'test/kafka.test',
  'test/model',
  'test/processes',
  'test/soak/',
  'test/process.test',
  'test/containers',
];

/**
 * Spreads the slow ones: two at once would slow each other down, and one that came last would run alone, the other
 * worker having nothing left to do.
 */
export class SlowApart extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const apart = slow.flatMap((part) => sorted.filter(({ moduleId }) => moduleId.includes(part)));
    const others = sorted.filter((file) => !apart.includes(file));
    const between = Math.floor((others.length * 0.8) / Math.max(apart.length, 1));
    return [...apart.flatMap((file) => [file, ...others.splice(0, between)]), ...others];
  }
}
