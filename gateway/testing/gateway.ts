import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Role } from '../../platform/auth/principal.js';
import { createTokenSigner } from '../../platform/auth/tokens.js';
import { createLog } from '../../platform/log.js';
import { until as waitUntil } from '../../platform/testing/until.js';
import { type Gateway, type GatewayOptions, startGateway } from '../index.js';

export interface Issuer {
  jwksUrl: string;
  /** An authorization value of a customer, whose token lives so long. */
  bearer(userId?: string, ttlMs?: number): Promise<string>;
  /** One of somebody with this role. */
  bearerOf(role: Role): Promise<string>;
  stop(): Promise<void>;
}

const someone = '0198c5f2-7c1e-7b1a-9a55-3f0c9d3e8a11';

/** Signs tokens and serves their keys, as the user service does. */
export async function startIssuer(): Promise<Issuer> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { jwks } = await createTokenSigner({ privateKey: pem, ttlMs: 60_000 });
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sign = async (user: { id: string; role: Role }, ttlMs: number) => {
    const signer = await createTokenSigner({ privateKey: pem, ttlMs });
    return `Bearer ${(await signer.sign(user)).accessToken}`;
  };
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`,
    bearer: (userId = someone, ttlMs = 60_000) => sign({ id: userId, role: 'CUSTOMER' }, ttlMs),
    bearerOf: (role) => sign({ id: someone, role }, 60_000),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Tests run on the executor of the environment: both must pass all of them. */
export const executorOfTests = () => (process.env['GATEWAY_EXECUTOR'] === 'apollo' ? 'apollo' : 'doorstep');

/** A gateway on a free port that logs nothing. */
export const startTestGateway = (
  options: Pick<GatewayOptions, 'supergraph'> & Partial<GatewayOptions>,
): Promise<Gateway> =>
  startGateway({
    host: '127.0.0.1',
    port: 0,
    log: createLog({ level: process.env['GATEWAY_TEST_LOG'] ?? 'silent', format: 'text', app: 'test' }),
    readTimeoutMs: 15_000,
    writeTimeoutMs: 15_000,
    introspection: true,
    executor: executorOfTests(),
    ...options,
  });

export interface Answer {
  status: number;
  // Tests compare it as a whole.
  body: {
    data?: unknown;
    errors?: { message: string; path?: unknown; extensions?: Record<string, unknown> }[];
    extensions?: unknown;
  };
}

/** POSTs an operation. */
export const post = (
  gateway: Pick<Gateway, 'url'>,
  query: string,
  options: { variables?: Record<string, unknown>; headers?: Record<string, string> } = {},
): Promise<Answer> => {
  const { variables, headers } = options;
  return postText(gateway, JSON.stringify({ query, ...(variables && { variables }) }), headers);
};

/** POSTs a body as it is, whatever it is. */
export async function postText(
  gateway: Pick<Gateway, 'url'>,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** GETs with these parameters in the address, of which there may be several of one name. */
export async function get(
  gateway: Pick<Gateway, 'url'>,
  parameters: Record<string, string> | [string, string][],
): Promise<Answer> {
  const response = await fetch(`${gateway.url}/graphql?${new URLSearchParams(parameters)}`);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Waits until something holds; fails after ten seconds. */
export const until = (holds: () => boolean | Promise<boolean>): Promise<boolean> =>
  waitUntil(String(holds), holds, 10_000);
