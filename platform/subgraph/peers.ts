import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ServiceTokens } from '../auth/service-tokens.js';
import { type Caller, createCaller } from '../calls/caller.js';
import type { ServiceName } from '../config.js';
import { errorCodes, type Refusal, type Result, refuse } from '../errors.js';
import type { Log } from '../log.js';

/** The other services, for one that calls them or is called by them. */
export interface Peers {
  tokens: ServiceTokens;
  /** The address of a service's port; undefined while it is not known. */
  origin(service: ServiceName): string | undefined;
}

/** What one service asks another to do, there and then; may be asked twice, and is done once. */
export interface PeerRequest<In, Out> {
  from: ServiceName;
  to: ServiceName;
  path: `/internal/${string}`;
  input: z.ZodType<In>;
  output: z.ZodType<Out>;
}

export const definePeerRequest = <In, Out>(request: PeerRequest<In, Out>): PeerRequest<In, Out> => request;

const refusal = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  field: z.string().optional(),
});

/** Answers what another service asks: with 200 and the output, with 409 and the refusal, or with 400 and 401. */
export function answerPeer<In, Out>(
  http: FastifyInstance,
  request: PeerRequest<In, Out>,
  answer: (input: In) => Promise<Result<Out>>,
  tokens: () => ServiceTokens,
): void {
  http.post(request.path, async ({ headers, body }, reply) => {
    try {
      await tokens().verify(headers.authorization, request.from, request.to);
    } catch {
      return reply.code(401).send(refuse('UNAUTHENTICATED', 'This is for other services alone.'));
    }
    const input = request.input.safeParse(typeof body === 'string' ? readJson(body) : body);
    if (!input.success) return reply.code(400).send(refuse('BAD_USER_INPUT', 'This is no such request.'));
    const result = await answer(input.data);
    return result.ok ? reply.code(200).send(result.value) : reply.code(409).send(result);
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Shorter than what the gateway gives a write, so that who asks hears what happened. */
const timeoutMs = 8_000;

/** Asks one other service. Closed by whoever made it. */
export interface PeerClient<In, Out> {
  /** Refuses with SERVICE_UNAVAILABLE where the other one does not answer: it may have done it, or may not. */
  ask(input: In): Promise<Result<Out>>;
  close(): Promise<void>;
}

export function askPeer<In, Out>(
  request: PeerRequest<In, Out>,
  { peers, log }: { peers: Peers; log: Log },
): PeerClient<In, Out> {
  const { from, to, path } = request;
  const unavailable = refuse('SERVICE_UNAVAILABLE', `The ${to} service is unavailable; try again.`);
  let caller: Caller | undefined;

  async function call(input: In): Promise<Result<Out>> {
    const origin = peers.origin(to);
    if (origin === undefined) return unavailable;
    caller ??= createCaller({ part: to, url: origin + path, timeoutMs, log });
    const { status, text } = await caller.call({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: await peers.tokens.sign(from, to),
      },
      body: JSON.stringify(input),
      safe: true,
    });
    const json = readJson(text);
    if (status === 409) return asRefusal(refusal.parse(json));
    if (status !== 200) throw new Error(`${to} answered HTTP ${status}`);
    return { ok: true, value: request.output.parse(json) };
  }

  return {
    async ask(input) {
      try {
        return await call(input);
      } catch (err) {
        log.warn({ err, part: to }, 'another service could not be asked');
        return unavailable;
      }
    },
    close: async () => caller?.close(),
  };
}

const asRefusal = ({ code, message, field }: z.infer<typeof refusal>): Refusal =>
  refuse(code, message, field);
