// Mercurius' gateway, as its manual has it: `node mercurius.mjs services.json port`; the services are a list of
// { name, url, schema }.
import { readFileSync } from 'node:fs';
import gateway from '@mercuriusjs/gateway';
import fastify from 'fastify';

const [file, port] = process.argv.slice(2);
const rewriteHeaders = ({ authorization }) => (authorization ? { authorization } : {});
const services = JSON.parse(readFileSync(file, 'utf8')).map((service) => ({
  ...service,
  rewriteHeaders,
  // The pool of the others; ten is the default.
  connections: 64,
}));

const app = fastify();
await app.register(gateway, { jit: 1, gateway: { services } });
await app.listen({ host: '127.0.0.1', port: Number(port) });
