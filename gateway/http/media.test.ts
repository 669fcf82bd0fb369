import { describe, expect, test } from 'vitest';
import { answeringOf, streamFormatOf } from './media.js';

const graphql = { media: 'application/graphql-response+json', statusTells: true };
const json = { media: 'application/json', statusTells: false };
/** Nobody asked for JSON by its name: an answer in it says by its status what became of the operation. */
const anything = { media: 'application/json', statusTells: true };

describe('an accept header', () => {
  test.each([
    [undefined, anything],
    ['*/*', anything],
    ['application/*', anything],
    ['application/json', json],
    ['APPLICATION/JSON', json],
    ['application/graphql-response+json', graphql],
    ['application/graphql-response+json, application/json', graphql],
    ['application/json, application/graphql-response+json', json],
    ['text/plain, application/graphql-response+json', graphql],
  ])('of %s', (header, answering) => {
    expect(answeringOf(header)).toEqual(answering);
  });

  test.each([
    ['application/json;q=0.4, application/graphql-response+json;q=0.5', graphql],
    ['application/graphql-response+json;q=0.1, application/json', json],
    ['application/graphql-response+json ; Q=0.1 , application/json ; q=0.2', json],
    ['application/json;q=0, application/graphql-response+json;q=0.001', graphql],
    // The q of a range holds for what is not named more closely.
    ['application/json;q=0, */*', graphql],
    ['*/*, application/json;q=0', graphql],
    ['application/json;q=0.1, */*;q=0.9', graphql],
    ['*/*;q=0.5, application/json', json],
    ['*/*, application/graphql-response+json', graphql],
    ['application/*;q=0, */*', undefined],
  ])('with qualities, %s', (header, answering) => {
    expect(answeringOf(header)).toEqual(answering);
  });

  test.each([
    ['application/json; charset=utf-8', json],
    ['application/json; charset="UTF-8"', json],
    ['application/json; charset=utf8; q=0.3', json],
    ['application/json; charset=iso-8859-1', undefined],
    ['application/json; charset=latin1, application/graphql-response+json; charset=utf-8', graphql],
  ])('with a charset, %s', (header, answering) => {
    expect(answeringOf(header)).toEqual(answering);
  });

  test.each(['', 'text/html', 'text/*', 'application/json;q=0', 'application/json;q=no', 'json', ',', ';'])(
    'of "%s" takes nothing that is sent here',
    (header) => {
      expect(answeringOf(header)).toBeUndefined();
    },
  );

  test('is remembered without being mixed up, however many different ones come', () => {
    for (let n = 0; n < 3_000; n++) {
      expect(answeringOf(`text/x-${n}, application/json`)).toEqual(json);
      expect(answeringOf(`text/x-${n}, application/graphql-response+json`)).toEqual(graphql);
    }
    expect(answeringOf(`text/${'x'.repeat(10_000)}`)).toBeUndefined();
  });
});

describe('a stream is asked for by an accept header', () => {
  test.each([
    ['text/event-stream', 'sse'],
    ['Text/Event-Stream;charset=UTF-8', 'sse'],
    ['text/event-stream, */*', 'sse'],
    // urql's
    ['application/graphql-response+json, application/json, text/event-stream, multipart/mixed', 'sse'],
    // Apollo Client's
    ['multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json', 'multipart'],
    ['multipart/mixed; boundary="graphql"; subscriptionSpec="1.0", application/json', 'multipart'],
    ['multipart/mixed;subscriptionSpec=1.0, text/event-stream', 'multipart'],
    ['multipart/mixed;subscriptionSpec=1.0;q=0.5, text/event-stream', 'sse'],
  ])('of %s', (header, name) => {
    expect(streamFormatOf(header)?.name).toBe(name);
  });

  test.each([
    undefined,
    '*/*',
    'text/*',
    'application/json',
    'text/event-stream;q=0',
    'multipart/mixed',
    'multipart/mixed;deferSpec=20220824',
    'multipart/mixed;subscriptionSpec=2.0',
  ])('and not by %s', (header) => {
    expect(streamFormatOf(header)).toBeUndefined();
  });
});

test('the id of an event fits in a line and a header, or there is none', () => {
  const sse = streamFormatOf('text/event-stream');
  expect(sse?.next('{}', 'a/1')).toBe('id: a/1\nevent: next\ndata: {}\n\n');
  for (const cursor of [undefined, null, 1, '', 'a b', 'a\nb', 'a\rb', 'a\0', 'é'])
    expect(sse?.next('{}', cursor)).toBe('event: next\ndata: {}\n\n');
});
