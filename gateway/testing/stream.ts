import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { expect } from 'vitest';

export type StreamName = 'sse' | 'multipart';

/** What a stream said, whichever way it is written. */
export type StreamMessage =
  | { type: 'next'; payload: unknown; id?: string }
  | { type: 'complete' }
  /** `interrupted` where clients are to come back by themselves, as far as that can be told. */
  | { type: 'failed' | 'interrupted'; errors: unknown }
  | { type: 'heartbeat' }
  /** The body is over; `isWhole` where it was not cut off. */
  | { type: 'end'; isWhole: boolean };

/** A client of a subscription over HTTP that hides nothing, and throws where a byte is not what its format says. */
export interface StreamClient {
  status: number;
  headers: IncomingHttpHeaders;
  /** The next message; heartbeats are left out unless asked for. */
  next(options?: { heartbeats: boolean }): Promise<StreamMessage>;
  /** The whole body of an answer that is no stream. */
  json(): Promise<unknown>;
  /** Goes without a word. */
  leave(): void;
  /** Stops reading from the network, as a client does that is too slow. */
  pause(): void;
  resume(): void;
}

const accepts: Record<StreamName, string> = {
  sse: 'text/event-stream',
  multipart: 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json',
};

export async function openStream(
  url: string,
  name: StreamName,
  query: string,
  options: { variables?: Record<string, unknown>; headers?: Record<string, string>; method?: string } = {},
): Promise<StreamClient> {
  const { variables, method = 'POST' } = options;
  const address = new URL(`${url}/graphql`);
  if (method !== 'POST') {
    address.searchParams.set('query', query);
    if (variables) address.searchParams.set('variables', JSON.stringify(variables));
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(address, {
      method,
      agent: false,
      headers: {
        accept: accepts[name],
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...options.headers,
      },
    });
    request.on('response', resolve).on('error', reject);
    request.end(method === 'POST' ? JSON.stringify({ query, variables }) : undefined);
  });

  let text = '';
  let end: { isWhole: boolean } | undefined;
  let wake = () => {};
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  response.on('error', () => undefined);
  response.on('close', () => {
    end = { isWhole: response.complete };
    wake();
  });
  const more = () => new Promise<void>((resolve) => (wake = resolve));
  const take = readers[name]();

  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async next({ heartbeats } = { heartbeats: false }) {
      for (;;) {
        const taken = take(text);
        if (taken) {
          text = taken.rest;
          if (taken.message && (heartbeats || taken.message.type !== 'heartbeat')) return taken.message;
        } else if (end && text === '') return { type: 'end', ...end };
        else if (end) throw new Error(`the body ended within a message: ${JSON.stringify(text)}`);
        else await more();
      }
    },
    async json() {
      while (!end) await more();
      return JSON.parse(text);
    },
    leave: () => response.destroy(),
    pause: () => response.pause(),
    resume: () => response.resume(),
  };
}

/** Takes one message off the beginning of a text; undefined where there is no whole one. */
type Take = (text: string) => { message?: StreamMessage; rest: string } | undefined;

const readers: Record<StreamName, () => Take> = {
  sse: () => (text) => {
    const at = text.indexOf('\n\n');
    if (at < 0) return undefined;
    return { message: eventOf(text.slice(0, at).split('\n')), rest: text.slice(at + 2) };
  },
  multipart() {
    let isOpen = false;
    return (text) => {
      if (isOpen && text === '--\r\n') return { rest: '' };
      const at = text.indexOf('\r\n--graphql');
      if (at < 0) return undefined;
      const rest = text.slice(at + '\r\n--graphql'.length);
      if (isOpen) return { message: partOf(text.slice(0, at)), rest };
      if (at > 0) throw new Error('there is something before the first boundary');
      isOpen = true;
      return { rest };
    };
  },
};

function eventOf(lines: string[]): StreamMessage {
  if (lines.every((line) => line.startsWith(':'))) {
    const comment = lines.join('').slice(1);
    return comment === '' ? { type: 'heartbeat' } : { type: 'interrupted', errors: JSON.parse(comment) };
  }
  const fields = new Map(lines.map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
  const [event, data, id] = ['event', 'data', 'id'].map((name) => fields.get(name));
  if (event === 'complete' && data === '') return { type: 'complete' };
  if (event !== 'next' || !data) throw new Error(`no event of the protocol: ${lines.join('|')}`);
  return { type: 'next', payload: JSON.parse(data), ...(id !== undefined && { id }) };
}

function partOf(text: string): StreamMessage {
  const head = '\r\ncontent-type: application/json\r\n\r\n';
  if (!text.startsWith(head)) throw new Error(`no part of JSON: ${JSON.stringify(text)}`);
  const { payload, errors, ...others } = JSON.parse(text.slice(head.length)) as Record<string, unknown>;
  if (Object.keys(others).length > 0) throw new Error(`not of the protocol: ${text}`);
  if (payload) return { type: 'next', payload };
  if (errors) return { type: 'failed', errors };
  return payload === null ? { type: 'complete' } : { type: 'heartbeat' };
}

/** Errors, one of them with this code. */
export const coded = (code: string) => [expect.objectContaining({ extensions: { code } })];

/** What is told from now on, all of it. */
export async function lastOf(stream: StreamClient) {
  const messages = [await stream.next()];
  while (messages.at(-1)?.type !== 'end') messages.push(await stream.next());
  return messages;
}

/** How a format tells that it is over for good. */
export const failure = (name: StreamName, code: string) => [
  ...(name === 'sse'
    ? [{ type: 'next', payload: { errors: coded(code) } }, { type: 'complete' }]
    : [{ type: 'failed', errors: coded(code) }]),
  { type: 'end', isWhole: true },
];
