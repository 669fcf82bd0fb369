import { type Message, MessageType } from 'graphql-ws';

/** An operation as its client knows it. */
interface NamedOperation {
  readonly name: string;
  /** It has been completed, by either side: nothing more is sent of it. */
  isOver: boolean;
}

interface OperationIds {
  /** Gives the operation that the client calls by `name` an id that no other has had. */
  start(name: string): { id: string } | 'running already' | 'too many';
  /** The id of what the client completes, after which its name is free; undefined where nothing of it runs. */
  complete(name: string): string | undefined;
  /** The message as the client is to read it, or undefined where it is about an operation that it has completed. */
  outbound(message: Message): Message | undefined;
  /** What the client knows of an operation; undefined where it is over. */
  find(id: string): NamedOperation | undefined;
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
  const operations = new Map<string, NamedOperation>();
  const unfinished = new Set<string>();
  let last = 0;

  function release(operation: NamedOperation, id: string): void {
    operation.isOver = true;
    ids.delete(operation.name);
    operations.delete(id);
  }

  return {
    start(name) {
      if (ids.has(name)) return 'running already';
      if (ids.size >= limit || unfinished.size >= 2 * limit) return 'too many';
      last += 1;
      const id = `${last}`;
      ids.set(name, id);
      operations.set(id, { name, isOver: false });
      unfinished.add(id);
      return { id };
    },
    complete(name) {
      const id = ids.get(name);
      const operation = id === undefined ? undefined : operations.get(id);
      if (id !== undefined && operation) release(operation, id);
      return id;
    },
    outbound(message) {
      if (!('id' in message)) return message;
      const operation = operations.get(message.id);
      if (!operation) return undefined;
      if (message.type !== MessageType.Next) release(operation, message.id);
      return { ...message, id: operation.name };
    },
    find: (id) => operations.get(id),
    end(id) {
      const operation = operations.get(id);
      if (operation) release(operation, id);
      unfinished.delete(id);
    },
  };
}
