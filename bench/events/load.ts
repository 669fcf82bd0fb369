import { Pool } from 'undici';
import { benchType, eventData } from './bare.js';

/** Requests under way at once. */
const concurrency = 4;
/** The bodies are made once: what clients do with them is not measured. */
const bodies = 20;

const mutation = 'mutation ($inputs: [PublishEventInput!]!) { publishEvents(inputs: $inputs) { id } }';

/** Publishes batches through the gateway, and answers how many events a second were answered as published. */
export async function measurePublished(
  url: string,
  token: string,
  seconds: number,
  batchSize: number,
): Promise<number> {
  const pool = new Pool(url, { connections: concurrency });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const requests = Array.from({ length: bodies }, () =>
    JSON.stringify({
      query: mutation,
      variables: {
        inputs: Array.from({ length: batchSize }, (_, n) => {
          const { userId, ...data } = eventData(n);
          return { kind: 'USER', type: benchType, userId, data };
        }),
      },
    }),
  );
  let asked = 0;
  let published = 0;
  const began = performance.now();
  async function client(): Promise<void> {
    while (performance.now() - began < seconds * 1_000) {
      const body = requests[asked % bodies] ?? '';
      asked += 1;
      const answer = await pool.request({ method: 'POST', path: '/graphql', headers, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || text.includes('"errors"')) throw new Error(text.slice(0, 500));
      published += batchSize;
    }
  }
  try {
    await Promise.all(Array.from({ length: concurrency }, client));
    return (published / (performance.now() - began)) * 1_000;
  } finally {
    await pool.close();
  }
}
