import { composeServices } from '@apollo/composition';
import { GraphQLError } from 'graphql';
import { type Channel, createChannel } from '../../platform/live/channel.js';
import { type SubgraphContext, startSubgraph, subgraphSdl, type TestSubgraph } from './subgraph.js';

const live = /* GraphQL */ `
  extend schema
    @link(url: "https://doorstep.example/live/v1.0", import: ["@resumable", "@shared"])
    @composeDirective(name: "@resumable")
    @composeDirective(name: "@shared")
  directive @resumable(argument: String!, cursor: String!) on FIELD_DEFINITION
  directive @shared on FIELD_DEFINITION
`;

const ticks = /* GraphQL */ `
  type Tick @key(fields: "id") { id: ID! @shared  cursor: ID! @shared  value: Int! @shared  seenBy: String }
  type Query { now: Int }
  type Subscription {
    ticks(name: String!, after: ID): Tick! @shared @resumable(argument: "after", cursor: "cursor")
    plain(name: String!): Tick! @shared
  }
`;

/** What the subgraph has that the supergraph takes from labels, unless `replace` adds it. */
export const ownLabel = 'extend type Tick { label: String @shareable @shared }';

const labels = /* GraphQL */ `
  type Tick @key(fields: "id") { id: ID!  label: String @shareable @shared  twice: String }
  type Query { labels: Int }
`;

/** The supergraph of the tests of subscriptions that are resumed and shared. `replace` edits the SDL of ticks. */
export function ticksSupergraph(
  urls: { ticks: string; labels: string },
  replace: (sdl: string) => string = (sdl) => sdl,
): string {
  const { errors, supergraphSdl } = composeServices([
    { name: 'ticks', url: urls.ticks, typeDefs: subgraphSdl(live + replace(ticks)) },
    { name: 'labels', url: urls.labels, typeDefs: subgraphSdl(live + labels) },
  ]);
  if (!supergraphSdl) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

interface Tick {
  id: string;
  cursor: string;
  value: number;
}

/** What has ticked, by name: what the database is to a real service. All replicas of the subgraph share it. */
export class Clock {
  readonly #ticks = new Map<string, Tick[]>();
  readonly #listeners = new Set<() => void>();
  readonly #ended = new Set<string>();
  /** Those whose token is this may not see anything any more. */
  readonly barred = new Set<string>();
  readonly #held = new Map<string, Promise<void>>();
  /** Called when a subscription begins. */
  onWatch: ((token: string | undefined) => void) | undefined;
  /** When ticks were committed, in ms since 1970, as is said beside each that is sent. */
  committedAt: number | undefined;
  /** What is thrown for each tick that is sent; nothing unless set. */
  fault: ((tick: Tick) => GraphQLError | undefined) | undefined;

  /** Ticks once more. */
  tick(name: string): void {
    const before = this.of(name);
    const value = before.length + 1;
    this.#ticks.set(name, [...before, { id: `${name}:${value}`, cursor: `${name}/${value}`, value }]);
    this.ring();
  }

  /** It ticks no more. */
  end(name: string): void {
    this.#ended.add(name);
    this.ring();
  }

  ring(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  of(name: string): readonly Tick[] {
    return this.#ticks.get(name) ?? [];
  }

  /** Who comes with this token waits to be looked at until the answer is called. */
  hold(token: string): () => void {
    let look = () => {};
    this.#held.set(token, new Promise<void>((resolve) => (look = resolve)));
    return look;
  }

  /** Resolves when who has this token is looked at. */
  async admit(token: string | undefined): Promise<void> {
    if (token !== undefined) await this.#held.get(token);
  }

  /** How many subscriptions run. */
  listeners(): number {
    return this.#listeners.size;
  }

  /** The present tick or all after a cursor, then each as it comes, to its end. */
  watch(name: string, after: string | null | undefined, token: string | undefined): Channel<Tick> {
    this.onWatch?.(token);
    let at = typeof after === 'string' ? Number(after.split('/')[1]) : Math.max(this.of(name).length - 1, 0);
    if (Number.isNaN(at) || at > this.of(name).length) throw refusal('BAD_USER_INPUT');
    const events = createChannel<Tick>({
      limit: Number.POSITIVE_INFINITY,
      overflow: () => new Error('there is no limit'),
      onClose: () => this.#listeners.delete(pump),
    });
    const pump = () => {
      if (token !== undefined && this.barred.has(token)) return events.end(refusal('FORBIDDEN'));
      for (let tick = this.of(name)[at]; tick; tick = this.of(name)[at]) {
        at += 1;
        events.push(tick);
      }
      if (this.#ended.has(name)) events.end();
    };
    this.#listeners.add(pump);
    pump();
    return events;
  }
}

const refusal = (code: string) => new GraphQLError('Not this.', { extensions: { code } });

/** A replica of the subgraph that owns the subscriptions. */
export function startTicks(clock: Clock, port?: number): Promise<TestSubgraph> {
  const watch = async (
    _: unknown,
    { name, after }: { name: string; after?: string | null },
    { authorization }: SubgraphContext,
  ) => {
    await clock.admit(authorization);
    return clock.watch(name, after, authorization);
  };
  const resolve = (tick: Tick): Tick => {
    const error = clock.fault?.(tick);
    if (error) throw error;
    return tick;
  };
  return startSubgraph({
    name: 'ticks',
    sdl: live + ticks + ownLabel,
    extensions: () => ({ committedAt: clock.committedAt }),
    ...(port !== undefined && { port }),
    resolvers: {
      Tick: {
        __resolveReference: ({ id }: { id: string }) =>
          clock.of(id.split(':')[0] ?? '').find((tick) => tick.id === id) ?? null,
        label: ({ id }: Tick) => `the tick ${id}`,
        seenBy: (_tick: unknown, _args: unknown, { authorization }: SubgraphContext) => authorization ?? null,
      },
      Query: { now: () => 0 },
      Subscription: { ticks: { subscribe: watch, resolve }, plain: { subscribe: watch, resolve } },
    },
  });
}

/** The subgraph that completes ticks. */
export function startLabels(counts: { fetched: number }, port?: number): Promise<TestSubgraph> {
  return startSubgraph({
    name: 'labels',
    sdl: live + labels,
    ...(port !== undefined && { port }),
    resolvers: {
      Tick: {
        __resolveReference({ id }: { id: string }) {
          counts.fetched += 1;
          return { id };
        },
        label: ({ id }: { id: string }) => `the tick ${id}`,
        twice: ({ id }: { id: string }) => `${id} ${id}`,
      },
      Query: { labels: () => 0 },
    },
  });
}
