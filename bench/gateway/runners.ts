import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../platform/testing/ports.js';
import { type Answers, ask } from './check.js';
import { type Child, startChild } from './child.js';
import { type Contestant, type ContestantName, contestant, titles } from './contestants.js';
import { queries } from './queries.js';
import { cores, type Stage } from './stage.js';

export interface Running extends Contestant {
  title: string;
  child: Child;
  port: number;
}

/** A contestant that could not be installed or started. */
export interface Missing {
  title: string;
  reason: string;
}

const patienceMs = 60_000;

/**
 * Starts a contestant, and resolves once it answers.
 * @throws Error saying why it does not
 */
export async function startContestant(stage: Stage, name: ContestantName, folder: string): Promise<Running> {
  const port = await freePort();
  const one = contestant(name, port, stage.surroundings);
  const { command, env } = one;
  const child = startChild({ name, command, env, folder, core: cores.contestant });
  try {
    await answers(stage, child, port);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...one, title: titles[name], child, port };
}

async function answers(stage: Stage, child: Child, port: number): Promise<Answers> {
  let ended: number | string | undefined;
  void child.ended.then((how) => {
    ended = how;
  });
  const began = Date.now();
  const query = { ...queries.small, variables: queries.small.variables.slice(0, 1) };
  for (;;) {
    try {
      return await ask(stage, port, query);
    } catch (error) {
      if (ended !== undefined) throw new Error(`it ended with ${ended}:\n${child.output()}`);
      if (Date.now() - began > patienceMs)
        throw new Error(`no answer after ${patienceMs / 1_000} s: ${error}\n${child.output()}`);
    }
    await delay(100);
  }
}
