import { parseArgs } from 'node:util';
import { Fault, Skip } from './audit.js';
import { openPeer } from './peer.js';
import type { Operation, Target } from './target.js';

export const usage = `npm run conformance -- ws://host:port/graphql [options]

What the server is told
  --token 'Bearer ...'       goes into the payload of connection_init, as its authorization
  --init '{...}'             the payload of connection_init
  --refused-init '{...}'     a payload that the server refuses
  --header 'name: value'     of the handshake; may be given again

Documents; all have to be ones that the server takes
  --query '{ ... }'          a query, { __typename } unless given
  --mutation 'mutation ...'  a mutation, mutation { __typename } unless given; it is run more than once
  --slow-query '{ ... }'     a query that takes a while, which others do not wait for
  --subscription '...'       a subscription that sends an event at once and stays open
  --variables '{...}'        its variables
  --change 'mutation ...'    makes it send one event more; without, events have to come by themselves
  --cursor 'field.cursor'    where its events have their cursors, from data on
  --resume after             the variable of it that takes the last cursor that was seen
  --finite '...'             a subscription that completes by itself
  --finite-variables '{...}' its variables

How it is run
  --patience 5000            how long to wait for what has to come, in ms
  --init-timeout 15000       how long to wait for 4408, in ms
  --no-timeouts              does not wait for 4408
  --only resume/             the audits whose ids begin so
  --list                     prints the audits as a table, and asks no server

Ends with 1 where a MUST is not ok, and with 2 where it could not be run.`;

/** What is wrong with the options. */
export class Misused extends Error {}

export interface Options {
  list: boolean;
  help: boolean;
  only: string;
  target: Target | undefined;
}

const names = [
  ...[
    'token',
    'init',
    'refused-init',
    'query',
    'mutation',
    'slow-query',
    'subscription',
    'variables',
    'change',
  ],
  ...['cursor', 'resume', 'finite', 'finite-variables', 'patience', 'init-timeout', 'only'],
] as const;

type Given = Partial<Record<(typeof names)[number], string>>;

/** @throws Misused */
export function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...(Object.fromEntries(names.map((name) => [name, text])) as Record<
          (typeof names)[number],
          typeof text
        >),
        header: { type: 'string', multiple: true, default: [] },
        'no-timeouts': flag,
        list: flag,
        help: flag,
      },
    });
  try {
    parsed = parse();
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const { list, help, header, 'no-timeouts': noTimeouts, ...given } = values;
  const [url, ...others] = positionals;
  if (others.length > 0) throw new Misused(`One address is enough; got ${positionals.join(' ')}`);
  const target = url === undefined ? undefined : targetOf(url, given, header, noTimeouts);
  return { list, help, only: given.only ?? '', target };
}

function targetOf(url: string, given: Given, header: string[], noTimeouts: boolean): Target {
  if (!/^wss?:\/\//.test(url)) throw new Misused(`An address begins with ws:// or wss://; got ${url}`);
  const init = {
    ...(given.token !== undefined && { authorization: given.token }),
    ...object('--init', given.init),
  };
  const refused = object('--refused-init', given['refused-init']);
  const target: Target = {
    url,
    headers: Object.fromEntries(header.map(headerOf)),
    init: Object.keys(init).length > 0 ? init : undefined,
    query: { query: given.query ?? '{ __typename }' },
    mutation: { query: given.mutation ?? 'mutation { __typename }' },
    patienceMs: milliseconds('--patience', given.patience, 5_000),
    initTimeoutMs: noTimeouts ? null : milliseconds('--init-timeout', given['init-timeout'], 15_000),
    ...(refused && { refusedInit: refused }),
    ...(given['slow-query'] !== undefined && { slowQuery: { query: given['slow-query'] } }),
  };
  return { ...target, ...subscriptionsOf(target, given) };
}

function subscriptionsOf(target: Target, given: Given): Pick<Target, 'stream' | 'finite'> {
  const { subscription, cursor, resume, finite } = given;
  if ((cursor === undefined) !== (resume === undefined))
    throw new Misused('--cursor and --resume go together');
  const operation = operationOf(subscription, '--variables', given.variables);
  const ending = operationOf(finite, '--finite-variables', given['finite-variables']);
  return {
    ...(operation && {
      stream: async () => ({
        operation,
        ...(given.change !== undefined && { change: () => change(target, { query: given.change ?? '' }) }),
        ...(cursor !== undefined && resume !== undefined && { resume: { path: cursor, variable: resume } }),
      }),
    }),
    ...(ending && { finite: async () => ending }),
  };
}

function operationOf(query: string | undefined, name: string, variables?: string): Operation | undefined {
  const read = object(name, variables);
  return query === undefined ? undefined : { query, ...(read && { variables: read }) };
}

/** Runs the caller's change on a socket of its own. That it fails says nothing of the audit that needs it. */
async function change(target: Target, operation: Operation): Promise<void> {
  const peer = await openPeer(target);
  try {
    peer.init();
    await peer.acknowledged();
    await peer.subscribe(operation).result();
  } catch (error) {
    throw error instanceof Fault ? new Skip(`the change that is given fails: ${error.message}`) : error;
  } finally {
    peer.terminate();
  }
}

function object(name: string, text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below.
  }
  throw new Misused(`${name} is an object of JSON; got ${text}`);
}

function milliseconds(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) throw new Misused(`${name} is a number of ms; got ${text}`);
  return value;
}

function headerOf(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Misused(`--header is 'name: value'; got ${text}`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
