import { randomUUID } from 'node:crypto';
import type { IHeaders, Kafka, KafkaMessage } from 'kafkajs';
import type { DeadLetter } from '../bus/bus.js';
import { withAdmin } from './client.js';
import type { Failure } from './crew.js';
import { replayHeader } from './lane.js';
import type { Outgoing, Publisher } from './producer.js';
import { deadLetterTopic, isDeadLetterTopic } from './topics.js';

/** Headers of a dead letter; its key, value and other headers are those of the message. */
const names = {
  group: 'dead-letter-group',
  topic: 'dead-letter-topic',
  partition: 'dead-letter-partition',
  offset: 'dead-letter-offset',
  reason: 'dead-letter-reason',
  at: 'dead-letter-at',
} as const;

const readWithinMs = 30_000;
/** What the names of the groups begin with that dead letters are read in. */
const readersPrefix = 'dead-letters-';
export const readsDeadLetters = (groupId: string): boolean => groupId.startsWith(readersPrefix);

/** A message that failed, as it is put aside. */
export function toDeadLetter(group: string, { topic, partition, raw, reason }: Failure): Outgoing {
  const { [replayHeader]: _, ...headers } = raw.headers ?? {};
  return {
    topic: deadLetterTopic(topic),
    key: raw.key,
    value: raw.value,
    headers: {
      ...written(headers),
      [names.group]: group,
      [names.topic]: topic,
      [names.partition]: String(partition),
      [names.offset]: raw.offset,
      [names.reason]: reason.replaceAll('\0', '').slice(0, 2_000),
      [names.at]: new Date().toISOString(),
    },
  };
}

/** kafkajs reads a header without a value, and cannot write it. */
const written = (headers: IHeaders): IHeaders =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((one) => one ?? '') : (value ?? ''),
    ]),
  );

/** What is left of a dead letter that nobody takes as it is: where it was, and why it failed. */
export const shortened = ({ headers = {}, topic }: Outgoing): Outgoing => ({
  topic,
  key: null,
  value: null,
  headers: Object.fromEntries(Object.values(names).map((name) => [name, headers[name]])),
});

/** Where a dead letter stands, and what it says. */
interface Found {
  letter: DeadLetter;
  offset: bigint;
  raw: KafkaMessage;
}

/** The dead letters of a topic, or of all, oldest first in each topic. A crash may have put one aside twice: it counts once. */
export async function listDeadLetters(kafka: Kafka, topic?: string): Promise<DeadLetter[]> {
  return (await findAll(kafka, topic)).flatMap(({ found }) => distinct(found).map(({ letter }) => letter));
}

/** How many dead letters there are in all topics, those that a crash put aside twice counted twice. */
export const countDeadLetters = (kafka: Kafka): Promise<number> =>
  withAdmin(kafka, async (admin) => {
    const topics = (await admin.listTopics()).filter(isDeadLetterTopic);
    const places = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
    return places.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  });

/**
 * Sends the first dead letters to their topic again, marked for the group that failed, and removes them: what
 * has been replayed is never seen again. Answers how many there were.
 */
export async function replayDeadLetters(
  kafka: Kafka,
  publisher: Publisher,
  { topic, first }: { topic?: string; first: number },
): Promise<number> {
  let replayed = 0;
  for (const { deadTopic, found } of await findAll(kafka, topic)) {
    const chosen = distinct(found).slice(0, first - replayed);
    const last = chosen.at(-1);
    if (!last) continue;
    await publisher.publish(chosen.map(toReplay));
    // Up to the next one that was not chosen: copies of what was go along.
    const rest = found.find(({ offset, letter }) => offset > last.offset && !has(chosen, letter));
    const offset = rest?.offset ?? (found.at(-1)?.offset ?? last.offset) + 1n;
    await withAdmin(kafka, async (admin) => {
      // It does not know where a topic is before it has asked something about it.
      await admin.fetchTopicOffsets(deadTopic);
      const upTo = [{ partition: 0, offset: offset.toString() }];
      await admin.deleteTopicRecords({ topic: deadTopic, partitions: upTo });
    });
    replayed += chosen.length;
  }
  return replayed;
}

const has = (chosen: Found[], { id, group, value }: DeadLetter): boolean =>
  chosen.some(({ letter }) => letter.id === id && letter.group === group && letter.value === value);

/** The first of each. */
function distinct(found: Found[]): Found[] {
  const seen = new Set<string>();
  return found.filter(({ letter: { group, id, value } }) => {
    // A topic that is made anew has the same places for other messages.
    const name = `${group} ${id} ${value}`;
    return !seen.has(name) && seen.add(name);
  });
}

function toReplay({ letter, raw }: Found): Outgoing {
  const own = new Set<string>(Object.values(names));
  const headers = Object.fromEntries(Object.entries(raw.headers ?? {}).filter(([name]) => !own.has(name)));
  return {
    topic: letter.topic,
    key: raw.key,
    value: raw.value,
    headers: { ...headers, [replayHeader]: letter.group },
  };
}

async function findAll(
  kafka: Kafka,
  topic: string | undefined,
): Promise<{ deadTopic: string; found: Found[] }[]> {
  const all = await withAdmin(kafka, (admin) => admin.listTopics());
  const wanted = all.filter((name) =>
    topic === undefined ? isDeadLetterTopic(name) : name === deadLetterTopic(topic),
  );
  const messages = await readAll(kafka, wanted.toSorted());
  return [...messages].map(([deadTopic, list]) => ({
    deadTopic,
    found: list.map((raw) => ({ raw, offset: BigInt(raw.offset), letter: toLetter(deadTopic, raw) })),
  }));
}

function toLetter(deadTopic: string, { key, value, headers, timestamp, offset }: KafkaMessage): DeadLetter {
  const header = (name: keyof typeof names): string | undefined => headers?.[names[name]]?.toString();
  const from = header('offset');
  return {
    id: from === undefined ? `${deadTopic}/${offset}` : `${header('topic')}/${header('partition')}/${from}`,
    group: header('group') ?? '',
    topic: header('topic') ?? deadTopic,
    key: key?.toString() ?? '',
    value: value?.toString() ?? '',
    reason: header('reason') ?? '',
    at: new Date(Date.parse(header('at') ?? '') || Number(timestamp)),
  };
}

/** Everything that stands in these topics now, by topic. kafkajs reads in a group alone: this one is gone after. */
async function readAll(kafka: Kafka, topics: string[]): Promise<Map<string, KafkaMessage[]>> {
  const found = new Map<string, KafkaMessage[]>();
  const ends = new Map<string, bigint>();
  await withAdmin(kafka, async (admin) => {
    for (const topic of topics) {
      const [place] = await admin.fetchTopicOffsets(topic);
      if (place && BigInt(place.high) > BigInt(place.low)) ends.set(topic, BigInt(place.high));
    }
  });
  if (ends.size === 0) return found;
  const groupId = `${readersPrefix}${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  let timer: NodeJS.Timeout | undefined;
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...ends.keys()], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error('Kafka did not give the dead letters in time')),
        readWithinMs,
      );
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachBatch = async (topic: string, messages: KafkaMessage[]) => {
        const end = ends.get(topic);
        if (end === undefined) return;
        found.set(topic, [
          ...(found.get(topic) ?? []),
          ...messages.filter(({ offset }) => BigInt(offset) < end),
        ]);
        if (BigInt(messages.at(-1)?.offset ?? 0) + 1n >= end) ends.delete(topic);
        if (ends.size === 0) resolve();
      };
      consumer
        .run({ autoCommit: false, eachBatch: ({ batch }) => eachBatch(batch.topic, batch.messages) })
        .catch(reject);
    });
  } finally {
    clearTimeout(timer);
    await consumer.disconnect().catch(() => undefined);
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
  return new Map([...found].toSorted(([a], [b]) => a.localeCompare(b)));
}
