import { type Message, MessageType } from 'graphql-ws';

interface OperationIds {
  /** Gives the operation that the client calls by `name` an id that no other has had. */
  start(name: string): { id: string } | 'running already' | 'too many';
  /** The id of what the client completes, after which its name is free; undefined where nothing of it runs. */
  complete(name: string): string | undefined;
  /** The message as the client is to read it, or undefined where it is about an operation that it has completed. */
  outbound(message: Message): Message | undefined;
  /** What the client calls the operation; undefined where it has completed it. */
  nameOf(id: string): string | undefined;
  /** Nothing of the operation runs any more. */
  end(id: string): void;
}

/**
 * The names that one socket's client gives its operations, and ids in their place. graphql-ws forgets an
 * operation by its id when it ends, which may be after the client has completed it and has used the id
 * again, as the protocol allows: then it would forget the new one, and never stop it. So it gets no id twice.
 * @param limit how many a client may have running; as many again may be ending, so that one can be changed
 *   for another, yet what cannot be stopped (a query) is not started without end
 */
export function createOperationIds(limit: number): OperationIds {
  const ids = new Map<string, string>();
  const names = new Map<string, string>();
  const unfinished = new Set<string>();
  let last = 0;

  function release(name: string, id: string): void {
    ids.delete(name);
    names.delete(id);
  }

  return {
    start(name) {
      if (ids.has(name)) return 'running already';
      if (ids.size >= limit || unfinished.size >= 2 * limit) return 'too many';
      last += 1;
      const id = `${last}`;
      ids.set(name, id);
      names.set(id, name);
      unfinished.add(id);
      return { id };
    },
    complete(name) {
      const id = ids.get(name);
      if (id !== undefined) release(name, id);
      return id;
    },
    outbound(message) {
      if (!('id' in message)) return message;
      const name = names.get(message.id);
      if (name === undefined) return undefined;
      if (message.type !== MessageType.Next) release(name, message.id);
      return { ...message, id: name };
    },
    nameOf: (id) => names.get(id),
    end(id) {
      const name = names.get(id);
      if (name !== undefined) release(name, id);
      unfinished.delete(id);
    },
  };
}
