import type { Answer } from '../gateway.js';

/** What two gateways must agree on: the text of the data, with the order of its keys, and the errors in any order. */
export interface Comparable {
  status: number;
  data: string | undefined;
  errors: readonly string[];
}

export function comparable({ status, body }: Answer): Comparable {
  return {
    status,
    data: 'data' in body ? JSON.stringify(body.data) : undefined,
    errors: (body.errors ?? []).map(errorText).sort(),
  };
}

/** An error without what differs from run to run, and without the order of keys. */
function errorText({ message, path, extensions }: NonNullable<Answer['body']['errors']>[number]): string {
  const { code, service, field } = extensions ?? {};
  const text = message.replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/, '<id>');
  return JSON.stringify({ message: text, path, code, service, field });
}

export const equal = (a: Comparable, b: Comparable): boolean => JSON.stringify(a) === JSON.stringify(b);
