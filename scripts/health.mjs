// Asks a running doorstep whether it is ready: prints its answer, and exits 1 when it is not.
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile('.env');
const { HOST, PORT } = process.env;
const host = !HOST || HOST === '0.0.0.0' ? '127.0.0.1' : HOST;
const url = `http://${host}:${PORT || 4000}/health/ready`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  console.log(`${url} ${response.status} ${await response.text()}`);
  if (!response.ok) process.exitCode = 1;
} catch (error) {
  console.error(`${url} does not answer: ${error.cause?.message || error.message}`);
  process.exitCode = 1;
}
