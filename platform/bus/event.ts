import { z } from 'zod';
import { idOf } from '../ids.js';

/**
 * The contract of one kind of event: its topic (which is its CloudEvents type too), what its data
 * looks like, and which events must stay in order (those of one key).
 */
export interface Contract<T> {
  topic: string;
  schema: z.ZodType<T>;
  /** The partition key: order holds within a topic and key, and nowhere else. `id` is the event's. */
  key: (data: T, id: string) => string;
  /** Its events may have any CloudEvents type, not its topic alone. */
  anyType?: boolean;
}

export const defineEvent = <T>(contract: Contract<T>): Contract<T> => contract;

/** An event as handlers get it: CloudEvents 1.0, parsed and checked against its contract. */
export interface Event<T = unknown> {
  id: string;
  source: string;
  type: string;
  /** What it is about, where it says so. */
  subject?: string;
  time: Date;
  data: T;
}

/** An event on its way: the CloudEvent as structured JSON, beside what the bus needs to know. */
export interface Message {
  id: string;
  topic: string;
  key: string;
  value: string;
  headers: Record<string, string>;
}

const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  /** In small letters, as PostgreSQL writes it: the inbox compares. */
  id: z.uuid().toLowerCase(),
  source: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
});

/**
 * Makes the message for an event that happened. Events of one moment have ids in the order in which they are made. `type`
 * is for a contract of any type.
 * @throws ZodError when the data breaks the contract: better here than at every consumer
 */
export function toMessage<T>(
  service: string,
  contract: Contract<T>,
  data: NoInfer<T>,
  at: Date,
  { id = idOf(at), type = contract.topic } = {},
): Message {
  const event: z.infer<typeof cloudEvent> = {
    specversion: '1.0',
    id,
    source: `/doorstep/${service}`,
    type,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: contract.schema.parse(data),
  };
  return {
    id,
    topic: contract.topic,
    key: contract.key(data, id),
    value: JSON.stringify(event),
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
  };
}

/** Reads a message by its contract; a string says why it can not be read. */
export function parseMessage<T>(contract: Contract<T>, message: Message): Event<T> | string {
  let json: unknown;
  try {
    json = JSON.parse(message.value);
  } catch {
    return 'the value is not JSON';
  }
  const envelope = cloudEvent.safeParse(json);
  if (!envelope.success) return `not a CloudEvent: ${firstIssue(envelope.error)}`;
  if (!contract.anyType && envelope.data.type !== contract.topic)
    return `the type is ${envelope.data.type}, not ${contract.topic}`;
  const data = contract.schema.safeParse(envelope.data.data);
  if (!data.success) return `data: ${firstIssue(data.error)}`;
  const { id, source, type, subject, time } = envelope.data;
  return {
    id,
    source,
    type,
    ...(subject !== undefined && { subject }),
    time: new Date(time),
    data: data.data,
  };
}

const firstIssue = (error: z.ZodError): string => {
  const issue = error.issues[0];
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
};
