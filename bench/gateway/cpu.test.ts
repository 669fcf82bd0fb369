import { expect, test } from 'vitest';
import { parseStat, secondsOfTree } from './cpu.js';

test('the CPU of a process is its user and system time, whatever its name looks like', () => {
  const line =
    '4321 (node) R 1 2) S 77 4321 4321 0 -1 4194560 9000 0 0 0 250 50 3 4 20 0 11 0 123456 1000 2000';
  expect(parseStat(line)).toEqual({ pid: 4321, parent: 77, seconds: 3 });
});

test('what a process started counts as its own, however deep; what others started does not', () => {
  const stat = (pid: number, parent: number, seconds: number) => ({ pid, parent, seconds });
  const stats = [stat(10, 1, 1), stat(11, 10, 2), stat(12, 11, 4), stat(20, 1, 8), stat(21, 20, 16)];
  expect(secondsOfTree(stats, 10)).toBe(7);
});
