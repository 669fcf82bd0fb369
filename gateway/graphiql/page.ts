import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { browserFetcher } from './fetcher.js';
import { queryPlans } from './plans.js';

const welcome = `# Explore the graph on the left; press Ctrl-Enter to run.
#
# Most fields want an access token. In the headers tab below:
#
#   { "authorization": "Bearer <access token>" }
#
# The same headers serve subscriptions.

query Schema {
  __schema {
    queryType { fields { name description } }
    mutationType { fields { name description } }
    subscriptionType { fields { name description } }
  }
}
`;

/** The page has all it needs in itself, and speaks to nobody else; nobody shows it within a page of theirs. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
  "worker-src 'self' blob: data:",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
].join('; ');

type Encoding = 'br' | 'gzip' | 'identity';

interface Page {
  etag: string;
  body: Record<Encoding, Buffer>;
}

let page: Promise<Page> | undefined;

/** A browser opened the address, as opposed to a client that wants an answer. */
export const asksForPage = (request: FastifyRequest): boolean =>
  request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');

/** Sends GraphiQL: 9 MB that need nothing from anywhere else, made and compressed on the first call. */
export async function sendGraphiQL(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  page ??= render();
  const { etag, body } = await page;
  void reply.headers({
    etag,
    vary: 'accept, accept-encoding',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy': policy,
  });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const encoding = accepted(String(request.headers['accept-encoding'] ?? ''));
  if (encoding !== 'identity') void reply.header('content-encoding', encoding);
  return reply.type('text/html; charset=utf-8').send(body[encoding]);
}

const accepted = (header: string): Encoding => {
  const names = header.split(',').map((part) => part.split(';')[0]?.trim());
  return names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : 'identity';
};

async function render(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = Buffer.from(
    withFetcher(
      renderGraphiQL({
        title: 'Doorstep',
        defaultQuery: welcome,
        shouldPersistHeaders: true,
        defaultHeaders: '{}',
      }),
    ),
  );
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(html, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    promisify(gzip)(html),
  ]);
  // Weak, since the same page goes out in three encodings.
  const etag = `W/"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`;
  return { etag, body: { br, gzip: gz, identity: html } };
}

/** Options reach the page as JSON, which has no functions: the fetcher is put into the call that shows it. */
function withFetcher(html: string): string {
  const call = 'YogaGraphiQL.renderYogaGraphiQL(';
  const at = html.lastIndexOf(call);
  if (at < 0) throw new Error('GraphiQL is not shown the way it used to be');
  const show =
    '(function (root, options) { YogaGraphiQL.renderYogaGraphiQL(root, { ...options, fetcher: doorstepFetcher }); })(';
  return `${html.slice(0, at)}${queryPlans}${browserFetcher}${show}${html.slice(at + call.length)}`;
}
