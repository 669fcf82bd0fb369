import type { GraphQLFormattedError } from 'graphql';
import { type Message, MessageType } from 'graphql-ws';
import { type Rights, readRightsPayload } from '../../platform/auth/rights.js';
import { backoff } from '../../platform/bus/bus.js';
import type { Log } from '../../platform/log.js';
import { metrics } from '../../platform/metrics.js';
import type { Event } from '../execute/engine.js';
import { readAnswer, readErrors } from '../execute/subgraph-answer.js';
import { unavailable } from '../execute/subgraph-errors.js';
import type { SubgraphAddress } from '../supergraph.js';
import { type Connection, connect } from './connection.js';
import type { UpstreamQuery } from './plan.js';

/** What a subgraph is asked over its socket, which is everybody's: each operation carries its own token. */
export interface UpstreamPayload extends UpstreamQuery {
  extensions: { authorization?: string; requestId: string };
}

/** A subscription of a subgraph, for as long as somebody wants it: it outlives the sockets that it runs over. */
export interface UpstreamOperation {
  /** Asked for anew each time that it begins, so that it goes on where it was. */
  payload(): UpstreamPayload;
  next(event: Event, extensions: unknown): void;
  /** It is over: complete, or with the reasons. Nothing comes after that. */
  end(errors?: readonly GraphQLFormattedError[]): void;
}

export interface UpstreamRun {
  /** Begins it anew, after a moment: what has come of it is not good enough. Nothing comes until then. */
  again(): void;
  /** Nobody wants it any more: the subgraph is told, and nothing comes after that. */
  release(): void;
}

/** The subscriptions of one subgraph: over one socket, which is opened anew for as long as there are any. */
export interface Upstream {
  run(operation: UpstreamOperation): UpstreamRun;
  close(): void;
}

/** Between two tries, at most. */
const longestWaitMs = 5_000;
/** What has run for so long was begun well: should it fail now, that is a new outage. */
const settledMs = 10_000;
/** A subgraph that refuses an operation does so soon. */
const refusedWithinMs = 1_000;
/** A socket that nobody needs is kept for so long. */
const idleMs = 10_000;

interface Running {
  readonly operation: UpstreamOperation;
  /** Under which it runs on the present socket; undefined while it waits. */
  id: string | undefined;
  startedAt: number;
  failures: number;
  /** Ends it where it still waits then. */
  patience: NodeJS.Timeout | undefined;
  retry: NodeJS.Timeout | undefined;
}

/**
 * @param options.patienceMs how long an operation may wait for the subgraph, in ms, before it ends with
 *   SERVICE_UNAVAILABLE
 * @param options.rights is told whose rights have changed, as the subgraph says
 */
export function openUpstream(
  { name, url }: SubgraphAddress,
  { log, patienceMs, rights }: { log: Log; patienceMs: number; rights: Rights },
): Upstream {
  const all = new Set<Running>();
  const byId = new Map<string, Running>();
  const gauge = metrics.upstreamOperations.labels(name);
  let connection: Connection | undefined;
  let isReady = false;
  let isClosed = false;
  let lastId = 0;
  let failures = 0;
  let reconnect: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;

  function open(): void {
    reconnect = undefined;
    isReady = false;
    connection = connect({
      url,
      onReady() {
        isReady = true;
        failures = 0;
        for (const running of all) if (!running.retry) begin(running);
        if (all.size === 0) rest();
      },
      onMessage: receive,
      onPing: (payload) => rights.hear(readRightsPayload(payload)),
      onClosed(why) {
        connection = undefined;
        isReady = false;
        byId.clear();
        clearTimeout(idle);
        for (const running of all) wait(running);
        if (isClosed || all.size === 0) return;
        failures += 1;
        log.warn(
          { service: 'gateway', subgraph: name, why },
          'the socket to a subgraph was lost; it is opened anew',
        );
        // What breaks for the first time since it was well comes back at once, as a replica that takes over does.
        reconnect = setTimeout(open, failures === 1 ? 0 : backoff(failures, { capMs: longestWaitMs }));
      },
    });
  }

  function begin(running: Running): void {
    running.id = `${++lastId}`;
    running.startedAt = performance.now();
    byId.set(running.id, running);
    const payload = running.operation.payload() as unknown as Message<MessageType.Subscribe>['payload'];
    connection?.send({ id: running.id, type: MessageType.Subscribe, payload });
  }

  /** Whether it has been taken, though it may have had nothing to tell yet. */
  const runsWell = ({ id, startedAt }: Running): boolean =>
    id !== undefined && performance.now() - startedAt > refusedWithinMs;

  function wait(running: Running): void {
    if (runsWell(running)) settle(running);
    running.id = undefined;
    running.patience ??= setTimeout(() => {
      running.patience = undefined;
      if (!runsWell(running)) stop(running, () => end(running, [unavailable(name).toJSON()]));
    }, patienceMs);
  }

  /** The subgraph is there: should it go, patience begins anew. */
  function settle(running: Running): void {
    clearTimeout(running.patience);
    running.patience = undefined;
  }

  function retryLater(running: Running): void {
    if (performance.now() - running.startedAt > settledMs) running.failures = 0;
    running.failures += 1;
    wait(running);
    running.retry = setTimeout(
      () => {
        running.retry = undefined;
        if (isReady) begin(running);
      },
      backoff(running.failures, { capMs: longestWaitMs }),
    );
  }

  function receive(message: Message): void {
    const running = 'id' in message ? byId.get(message.id) : undefined;
    if (!running) return;
    if (message.type === MessageType.Next) {
      settle(running);
      const { data, errors, extensions } = message.payload as Record<string, unknown>;
      // An event has data, if only null. Without, graphql-js tells that it never started.
      if (data === undefined) refused(running, told(errors));
      else running.operation.next(eventOf(message.payload), extensions);
    } else if (message.type === MessageType.Error) refused(running, told(message.payload));
    else if (message.type === MessageType.Complete) {
      byId.delete(message.id);
      running.id = undefined;
      end(running);
    }
  }

  /** An event, which is an error where it is no GraphQL, and has one of ours where some of its errors are none. */
  function eventOf(payload: unknown): Event {
    const read = readAnswer(payload);
    if (read && !read.isBroken) return { data: null, errors: [], ...read.given };
    log.warn({ service: 'gateway', subgraph: name }, 'an event of a subgraph is no GraphQL');
    const { data = null, errors = [] } = read?.given ?? {};
    return { data, errors: [...errors, unavailable(name).toJSON()] };
  }

  /** The reasons of a refusal, which may be none that anybody can be told. */
  function told(given: unknown): readonly GraphQLFormattedError[] {
    const { errors } = readErrors(given);
    return errors.length > 0 ? errors : [unavailable(name).toJSON()];
  }

  /** A subgraph that cannot now is asked again; any other refusal is its last word. */
  function refused(running: Running, errors: readonly GraphQLFormattedError[]): void {
    if (errors.length > 0 && errors.every(({ extensions }) => extensions?.['code'] === 'SERVICE_UNAVAILABLE'))
      stop(running, retryLater);
    else stop(running, () => end(running, errors));
  }

  /** Ends what runs under an id, here and there, and goes on with something else. */
  function stop(running: Running, then: (running: Running) => void): void {
    if (running.id !== undefined) {
      byId.delete(running.id);
      connection?.send({ id: running.id, type: MessageType.Complete });
      running.id = undefined;
    }
    then(running);
  }

  function forget(running: Running): boolean {
    if (!all.delete(running)) return false;
    gauge.dec();
    clearTimeout(running.patience);
    clearTimeout(running.retry);
    if (all.size === 0) rest();
    return true;
  }

  function end(running: Running, errors?: readonly GraphQLFormattedError[]): void {
    if (forget(running)) running.operation.end(errors);
  }

  function rest(): void {
    clearTimeout(reconnect);
    reconnect = undefined;
    clearTimeout(idle);
    if (connection) idle = setTimeout(() => connection?.close(), idleMs);
  }

  return {
    run(operation) {
      const running: Running = {
        operation,
        id: undefined,
        startedAt: 0,
        failures: 0,
        patience: undefined,
        retry: undefined,
      };
      all.add(running);
      gauge.inc();
      clearTimeout(idle);
      if (isReady) begin(running);
      else {
        wait(running);
        if (!connection && !reconnect && !isClosed) open();
      }
      return {
        again: () => all.has(running) && running.id !== undefined && stop(running, retryLater),
        release: () => stop(running, forget),
      };
    },
    close() {
      isClosed = true;
      clearTimeout(reconnect);
      clearTimeout(idle);
      for (const running of all) end(running, [unavailable(name).toJSON()]);
      connection?.close();
    },
  };
}
