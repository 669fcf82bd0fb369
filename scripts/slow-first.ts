import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Parts of the paths of test files that take a minute or more. */
const slow = [
  'test/kafka-kills',
  'test/soak/',
  'gateway/execute/oracle-random',
  'test/model',
  'test/kafka.test',
  'test/process',
  'test/containers',
];

/** Begins with what takes longest: what came last would run alone, one worker having nothing left to do. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification) => slow.some((part) => moduleId.includes(part));
    const sorted = await super.sort(files);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
