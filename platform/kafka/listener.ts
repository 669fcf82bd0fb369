import { randomBytes } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import type { Registry } from '../bus/registry.js';
import type { Log } from '../log.js';
import { reasonOf, withAdmin } from './client.js';
import { read } from './lane.js';
import { type Supervised, supervise } from './supervise.js';
import { ensureTopics } from './topics.js';

/** Groups of replicas that are gone are removed after so long; until then they may only be away. */
const forgetAfterMs = 60 * 60 * 1000;

/** `<service>-live-<when, base 36>-<chance>` */
const groupName = (service: string): string =>
  `${service}-live-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
const groupTime = (service: string, groupId: string): number | undefined => {
  const [, time] = new RegExp(`^${service}-live-([0-9a-z]+)-[0-9a-f]{8}$`).exec(groupId) ?? [];
  return time === undefined ? undefined : Number.parseInt(time, 36);
};

export const isListener = (groupId: string): boolean => /-live-[0-9a-z]+-[0-9a-f]{8}$/.test(groupId);

export interface ListeningOptions {
  kafka: Kafka;
  service: string;
  registry: Pick<Registry, 'heard' | 'ring' | 'gap'>;
  sessionTimeoutMs: number;
  log: Log;
}

/**
 * Hears every event of the listeners' topics from now on, in a group that no other process is in, and that
 * goes when this stops. Messages that cannot be read are left out: their consumers put them aside.
 */
export async function runListeners(options: ListeningOptions): Promise<Supervised> {
  const { kafka, service, registry, sessionTimeoutMs, log } = options;
  const topics = registry.heard();
  const groupId = groupName(service);
  await ensureTopics(kafka, topics);
  const now = await withAdmin(kafka, async (admin) => {
    await removeOldGroups(admin, service).catch((error: unknown) =>
      log.warn({ reason: reasonOf(error) }, 'groups of replicas that are gone stay'),
    );
    return Promise.all(
      topics.map(async (topic) => ({ topic, partitions: await admin.fetchTopicOffsets(topic) })),
    );
  });

  let heard = false;
  const listening = supervise({
    kafka,
    groupId,
    topics,
    fromBeginning: false,
    autoCommit: true,
    sessionTimeoutMs,
    log,
    open: (consumer) => {
      tellOfGaps(consumer, registry.gap);
      return {
        async eachBatch({ batch: { topic, messages } }) {
          heard = true;
          for (const message of messages) registry.ring(read(topic, message));
        },
        begun() {
          if (heard) return;
          // By itself it would begin where the topic ends at its first fetch, which is a moment later.
          for (const { topic, partitions } of now)
            for (const { partition, high } of partitions) consumer.seek({ topic, partition, offset: high });
        },
        close: async () => undefined,
      };
    },
  });
  return {
    firstJoin: listening.firstJoin,
    get joined() {
      return listening.joined;
    },
    async stop() {
      await listening.stop();
      await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
    },
  };
}

/**
 * Calls `onGap` on each join, and again once the first fetch after it is through: until then it is not known where a
 * partition begins of which no offset has been committed, and what comes meanwhile is not heard.
 */
function tellOfGaps(consumer: Consumer, onGap: () => void): void {
  let begun: Set<string> | undefined;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    begun = new Set();
    onGap();
  });
  // A fetch that was under way when the group was joined again knows of the offsets before.
  consumer.on(consumer.events.FETCH_START, ({ payload: { nodeId } }) => begun?.add(String(nodeId)));
  consumer.on(consumer.events.FETCH, ({ payload }) => {
    const { nodeId } = payload as { nodeId?: number };
    if (!begun?.has(String(nodeId))) return;
    begun = undefined;
    onGap();
  });
}

/** A replica that was killed leaves its group behind. One that is only away from Kafka would begin anew. */
async function removeOldGroups(admin: Admin, service: string): Promise<void> {
  const { groups } = await admin.listGroups();
  const old = groups
    .map(({ groupId }) => groupId)
    .filter((groupId) => Date.now() - (groupTime(service, groupId) ?? Number.NaN) > forgetAfterMs);
  if (old.length === 0) return;
  const described = await admin.describeGroups(old);
  const empty = described.groups.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId);
  if (empty.length > 0) await admin.deleteGroups(empty).catch(() => undefined);
}
