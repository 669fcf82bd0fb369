import type { Message } from './peer.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): boolean => typeof value === 'string' && value !== '';

const isErrors = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((error) => isObject(error) && typeof error['message'] === 'string');

/** What a result may hold, with the entries that incremental delivery adds. */
const entries = new Set([
  'data',
  'errors',
  'extensions',
  'hasNext',
  'incremental',
  'pending',
  'completed',
  'label',
  'path',
  'items',
]);

function resultFault(payload: unknown): string | undefined {
  if (!isObject(payload)) return 'the payload of next is a result';
  const { data, errors, extensions } = payload;
  if (errors !== undefined && !isErrors(errors)) return 'errors of a result are a list of errors';
  if (data !== undefined && data !== null && !isObject(data))
    return 'the data of a result is an object or null';
  if (extensions !== undefined && !isObject(extensions)) return 'the extensions of a result are an object';
  if (data === undefined && errors === undefined && payload['incremental'] === undefined)
    return 'a result has data or errors';
  const other = Object.keys(payload).find((name) => !entries.has(name));
  return other === undefined ? undefined : `a result has no ${JSON.stringify(other)}`;
}

const optionalObject = ({ type, payload }: Message): string | undefined =>
  payload === undefined || payload === null || isObject(payload)
    ? undefined
    : `the payload of ${type} is an object, null or absent`;

/** What each message from a server has to be, beside its type. */
const shapes: Record<string, (message: Message) => string | undefined> = {
  connection_ack: optionalObject,
  ping: optionalObject,
  pong: optionalObject,
  next: ({ id, payload }) => (isId(id) ? resultFault(payload) : 'next has an id'),
  error: ({ id, payload }) =>
    !isId(id)
      ? 'error has an id'
      : isErrors(payload)
        ? undefined
        : 'the payload of error is a list of errors',
  complete: ({ id }) => (isId(id) ? undefined : 'complete has an id'),
};

/** What is wrong with a message from a server, or undefined. */
export function faultOf(message: Message | undefined): string | undefined {
  if (!message) return 'a message comes';
  const shape = shapes[message.type];
  const fault = shape ? shape(message) : `a server sends no ${JSON.stringify(message.type)}`;
  return fault && `${fault}; got ${JSON.stringify(message).slice(0, 300)}`;
}
