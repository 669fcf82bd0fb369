import { spawnSync } from 'node:child_process';
import { findProgram } from '../../platform/testing/needs.js';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The series of a page of metrics, in Prometheus's text format. */
export function samplesOf(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
        value: Number(value),
      };
    });
}

/** The sum of a metric's series that carry these labels; undefined where there are none. */
export function sum(
  samples: Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
}

/** What promtool says about a page of metrics: nothing where all is well. */
export function complaints(page: string): string {
  const { status, stdout, stderr } = spawnSync(findProgram('promtool') ?? '', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  return status === 0 ? stdout + stderr : `exit code ${status}: ${stdout}${stderr}`;
}
