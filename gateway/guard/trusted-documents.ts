import { readFile } from 'node:fs/promises';
import type { GraphQLError } from 'graphql';
import { z } from 'zod';
import { problem } from '../../platform/errors.js';

/** The documents that clients were built with. */
export interface TrustedDocuments {
  /** The document of an id; undefined where there is none. */
  documentOf(id: string): string | undefined;
  /** Whether a document is one of them, as it was written there. */
  has(document: string): boolean;
}

const manifest = z.record(z.string(), z.string());

/**
 * Reads manifests as the client preset of GraphQL Code Generator writes them (`persistedDocuments`): a JSON object with
 * the document of each id.
 * @throws Error, its message one line, for one that cannot be read
 */
export async function readTrustedDocuments(paths: readonly string[]): Promise<TrustedDocuments> {
  const byId = new Map<string, string>();
  for (const path of paths) {
    for (const [id, document] of Object.entries(await read(path))) byId.set(id, document);
  }
  const all = new Set(byId.values());
  return { documentOf: (id) => byId.get(id), has: (document) => all.has(document) };
}

async function read(path: string): Promise<z.infer<typeof manifest>> {
  try {
    return manifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === undefined ? 'it is no JSON object of documents by their ids' : `it cannot be read (${code})`;
    throw new Error(`TRUSTED_DOCUMENTS names ${path}, but ${reason}`);
  }
}

/** The refusal of a document that is none of them. */
export const untrusted = (): GraphQLError =>
  problem('FORBIDDEN', 'Only the documents that clients were built with are run here.', {
    http: { status: 403 },
  });
