import { createClient } from 'graphql-ws';
import { type CloseEvent, WebSocket } from 'ws';
import type { AnswerError } from './client.js';

export interface LiveMessage<T> {
  data?: T | null;
  errors?: AnswerError[];
}

/** How a subscription ended. */
export interface LiveEnd {
  /** By itself, the subscription being complete. */
  complete: boolean;
  /** What an `error` message told. */
  errors: AnswerError[];
  /** Where the socket was closed instead. */
  close?: { code: number; reason: string };
}

/** A subscription on a socket of its own; what arrives is collected, so that nothing is missed. */
export interface Live<T> {
  messages: LiveMessage<T>[];
  /** Resolves, to the messages, once they are such; rejects when it ends or `ms` pass before. */
  waitFor(predicate: (messages: LiveMessage<T>[]) => boolean, ms?: number): Promise<LiveMessage<T>[]>;
  ended: Promise<LiveEnd>;
  /** Leaves; `ended` then resolves too. */
  close(): void;
}

export function subscribe<T>(
  endpoint: string,
  operation: { query: string; variables: object },
  token?: string,
): Live<T> {
  const client = createClient({
    url: endpoint.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(token && { connectionParams: { authorization: `Bearer ${token}` } }),
  });
  const messages: LiveMessage<T>[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  let end: LiveEnd | undefined;
  const ended = new Promise<LiveEnd>((resolve) => {
    const finish = (how: LiveEnd) => {
      end ??= how;
      resolve(end);
      wake();
      void client.dispose();
    };
    client.subscribe<T>(
      { query: operation.query, variables: { ...operation.variables } },
      {
        next(message) {
          messages.push(message as LiveMessage<T>);
          wake();
        },
        error: (error) => finish({ complete: false, ...describe(error) }),
        complete: () => finish({ complete: true, errors: [] }),
      },
    );
  });
  return {
    messages,
    ended,
    waitFor: (predicate, ms = 15_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) =>
          settle(() => reject(new Error(`${why}, after ${JSON.stringify(messages)}`)));
        const timer = setTimeout(() => fail(`waited ${ms} ms in vain`), ms);
        const settle = (then: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          then();
        };
        const look = () => {
          if (predicate(messages)) settle(() => resolve(messages));
          else if (end) fail(`ended with ${JSON.stringify(end)}`);
        };
        waiting.add(look);
        look();
      }),
    close: () => void client.dispose(),
  };
}

function describe(error: unknown): Omit<LiveEnd, 'complete'> {
  if (Array.isArray(error))
    return { errors: error.map((one) => JSON.parse(JSON.stringify(one)) as AnswerError) };
  const { code, reason } = error as CloseEvent;
  return { errors: [], close: { code, reason } };
}
