import { demand, InVain, Skip } from './audit.js';
import { type Handshake, openPeer, type Peer, shakeHands } from './peer.js';
import type { Running } from './running.js';
import type { Operation, Stream, Target } from './target.js';

/** A stream that sends events, and how one more is made to come. */
export interface Talking {
  operation: Operation;
  /** Makes an event where the caller has said how; resolves to what `seen` waits for, which needs one. */
  another<T>(seen: () => Promise<T>): Promise<T>;
}

export interface Resumable extends Talking {
  cursorOf(event: unknown): string;
  /** The operation of who comes back with this as the last cursor that was seen. */
  from(cursor: unknown): Operation;
}

/** One audit's view of the server: the sockets that it opens are closed when it has ended. */
export interface Session {
  target: Target;
  /** A socket that is open, and no more. */
  open(): Promise<Peer>;
  /** A socket that the server has acknowledged. */
  connect(): Promise<Peer>;
  shakeHands(lines: string[]): Promise<Handshake>;
  /** A subscription that stays open; skips the audit where there is none. */
  stream(): Promise<Operation>;
  /** The same, with events. */
  talking(): Promise<Talking>;
  /** The same, with cursors. */
  resumable(): Promise<Resumable>;
  finite(): Promise<Operation>;
  end(): void;
}

export function createSession(target: Target): Session {
  const peers: Peer[] = [];
  const keep = (peer: Peer): Peer => {
    peers.push(peer);
    return peer;
  };
  async function given(): Promise<Stream> {
    if (!target.stream) throw new Skip('no subscription is given that stays open');
    return target.stream();
  }
  async function talkingStream(): Promise<Stream> {
    const stream = await given();
    if (stream.silent) throw new Skip('the subscription that is given says nothing by itself');
    return stream;
  }
  return {
    target,
    open: async () => keep(await openPeer(target)),
    async connect() {
      const peer = keep(await openPeer(target));
      peer.init();
      await peer.acknowledged();
      return peer;
    },
    async shakeHands(lines) {
      const shaken = await shakeHands(target, lines);
      if (shaken.peer) keep(shaken.peer);
      return shaken;
    },
    stream: async () => (await given()).operation,
    talking: async () => talk(await talkingStream()),
    async resumable() {
      const stream = await talkingStream();
      const { operation, resume } = stream;
      if (!resume) throw new Skip('it is not said how the subscription that is given is resumed');
      return {
        ...talk(stream),
        cursorOf: (event) => cursorAt(event, resume.path),
        from: (cursor) => ({
          ...operation,
          variables: { ...operation.variables, [resume.variable]: cursor },
        }),
      };
    },
    async finite() {
      if (!target.finite) throw new Skip('no subscription is given that completes by itself');
      return target.finite();
    },
    end() {
      for (const peer of peers) peer.terminate();
    },
  };
}

function talk({ operation, change }: Stream): Talking {
  return {
    operation,
    async another(seen) {
      await change?.();
      try {
        return await seen();
      } catch (error) {
        if (change || !(error instanceof InVain)) throw error;
        throw new Skip('no further event came by itself, and it is not said how to make one');
      }
    },
  };
}

function cursorAt(event: unknown, path: string): string {
  let value = event;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name];
  demand(
    typeof value === 'string' && value !== '',
    `an event has a cursor at ${path}; got ${JSON.stringify(event)}`,
  );
  return value;
}

/** Every event of a subscription, read from a socket of its own, as its cursors. */
export function cursorsOf(running: Running, { cursorOf }: Pick<Resumable, 'cursorOf'>): string[] {
  return running.messages
    .filter(({ type }) => type === 'next')
    .map(({ payload }) => cursorOf((payload as { data?: unknown }).data));
}
