import { setImmediate as oneTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { metrics } from '../../platform/metrics.js';
import type { Gateway } from '../index.js';
import { type Issuer, startIssuer, startTestGateway, until } from '../testing/gateway.js';
import { createRandom, type Random } from '../testing/random.js';
import type { TestSubgraph } from '../testing/subgraph.js';
import { Clock, startLabels, startTicks, ticksSupergraph } from '../testing/ticks.js';

/** Subscribers follow clocks while everything is cut, restarted and swapped at random: each misses and doubles nothing. */
const seeds = process.env['RESUME_SEEDS']?.split(',') ?? ['1', '2', '3'];
const steps = 150;
const names = ['a', 'b', 'c'];

let issuer: Issuer;
let tokens: (string | undefined)[];
beforeAll(async () => {
  issuer = await startIssuer();
  const users = ['0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11', '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a12'];
  tokens = [undefined, ...(await Promise.all(users.map((user) => issuer.bearer(user, 3_600_000))))];
});
afterAll(() => issuer.stop());

let clock: Clock;
let ticks: TestSubgraph;
let labels: TestSubgraph;
let gateways: Gateway[];
let followers: Follower[];
beforeEach(async () => {
  followers = [];
  clock = new Clock();
  [ticks, labels] = await Promise.all([startTicks(clock), startLabels({ fetched: 0 })]);
  gateways = await Promise.all([startOne(), startOne()]);
});
afterEach(async () => {
  for (const follower of followers) follower.leave();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await Promise.all([ticks.stop(), labels.stop()]);
});

const supergraph = () => ticksSupergraph({ ticks: ticks.url, labels: labels.url });
const startOne = () => startTestGateway({ supergraph: supergraph(), jwksUrl: issuer.jwksUrl });

/** Different questions about the same clock; some are shared by all. */
const selections = ['cursor value', 'cursor value label', 'cursor value seenBy', 'value cursor twice'];

interface Payload {
  data?: { ticks: { cursor: string; value: number } };
  errors?: unknown[];
}

/** Follows one clock, over as many sockets as it takes. */
class Follower {
  readonly name: string;
  readonly selection: string;
  readonly token: string | undefined;
  readonly url: () => string;
  readonly seen: number[] = [];
  readonly wrong: string[] = [];
  #cursor: string | undefined;
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor(name: string, selection: string, token: string | undefined, url: () => string) {
    this.name = name;
    this.selection = selection;
    this.token = token;
    this.url = url;
    this.#connect();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.url().replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    this.#socket = socket;
    const send = (message: object) => socket.send(JSON.stringify(message));
    socket.on('open', () =>
      send({ type: 'connection_init', payload: this.token ? { authorization: this.token } : {} }),
    );
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string; payload?: Payload };
      if (message.type === 'connection_ack') {
        const query = `subscription ($name: String!, $after: ID) { ticks(name: $name, after: $after) { ${this.selection} } }`;
        const variables = { name: this.name, ...(this.#cursor && { after: this.#cursor }) };
        send({ id: '1', type: 'subscribe', payload: { query, variables } });
      } else if (message.type === 'next') this.#take(message.payload ?? {});
      else if (message.type !== 'ping' && message.type !== 'pong') this.wrong.push(JSON.stringify(message));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(() => this.#isOver || this.#connect(), 20));
  }

  #take({ data, errors }: Payload): void {
    if (!data?.ticks || errors) return void this.wrong.push(JSON.stringify({ data, errors }));
    const { cursor, value } = data.ticks;
    const last = this.seen.at(-1);
    if (last !== undefined && value !== last + 1) this.wrong.push(`${value} after ${last}`);
    this.seen.push(value);
    this.#cursor = cursor;
  }

  toString(): string {
    return `${this.name} ${this.selection} at ${this.#cursor}, socket ${this.#socket?.readyState}, ${this.url()}`;
  }

  cut(): void {
    this.#socket?.terminate();
  }

  leave(): void {
    this.#isOver = true;
    this.#socket?.close(1000);
  }
}

async function step(random: Random): Promise<void> {
  const choice = random.below(100);
  const anyGateway = () => random.pick(gateways).url;
  if (choice < 50) clock.tick(random.pick(names));
  else if (choice < 65)
    followers.push(
      new Follower(random.pick(names), random.pick(selections), random.pick(tokens), anyGateway),
    );
  else if (choice < 75) followers[random.below(followers.length + 1)]?.cut();
  else if (choice < 80) followers.splice(random.below(followers.length + 1), 1)[0]?.leave();
  else if (choice < 85) ticks.cutSockets();
  else if (choice < 87) ticks.closeSockets(random.pick([1000, 1012, 4400]));
  else if (choice < 89) {
    await ticks.stop();
    ticks = await startTicks(clock, ticks.port);
  } else if (choice < 91) {
    await labels.stop();
    labels = await startLabels({ fetched: 0 }, labels.port);
  } else if (choice < 93) await random.pick(gateways).swap(supergraph());
  else if (choice < 94) {
    const at = random.below(gateways.length);
    await gateways[at]?.stop();
    gateways[at] = await startOne();
  } else for (let turns = random.below(200); turns > 0; turns--) await oneTurn();
}

test.each(seeds)('seed %s', { timeout: 60_000 }, async (seed) => {
  const random = createRandom(`resume ${seed}`);
  for (const name of names) clock.tick(name);
  for (let n = 0; n < steps; n++) await step(random);
  for (const name of names) clock.tick(name);
  const complaints = () => followers.flatMap(({ wrong }) => wrong);
  await until(
    () =>
      complaints().length > 0 || followers.every(({ name, seen }) => seen.at(-1) === clock.of(name).length),
  );
  expect(complaints()).toEqual([]);
  // Those who ask for the same have come together.
  const distinct = new Set(
    followers.map(({ name, selection, token }) =>
      selection.includes('seenBy') || selection.includes('twice')
        ? `${name} ${selection} ${token}`
        : `${name} ${selection}`,
    ),
  );
  const upstreams = () => metrics.upstreamOperations.labels('ticks').value;
  await until(() => upstreams() <= 2 * distinct.size);
  for (const follower of followers) follower.leave();
  await until(() => upstreams() === 0 && clock.listeners() === 0);
});
