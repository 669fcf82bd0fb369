import type { Answer } from './answer-reader.js';
import type { Connection } from './connection.js';
import type { HttpRequest } from './request.js';

/** A request that is sent once, and who is told what came of it. */
export class Exchange {
  /** Whether it began to be written: from then on the other side may have got it. */
  sent = false;
  /** Where it is under way; undefined while it waits for a connection, and when it is over. */
  connection: Connection | undefined = undefined;
  /** Whether a connection that had been used before ended under it without a byte, as one does that was idle too long. */
  metEnd = false;
  /** Whether it is to have a connection that nobody has used. */
  readonly needsNew: boolean;
  readonly request: HttpRequest;
  /** Called once, unless it is abandoned before. */
  readonly done: (error: Error | undefined, answer?: Answer) => void;

  constructor(
    request: HttpRequest,
    done: (error: Error | undefined, answer?: Answer) => void,
    needsNew = false,
  ) {
    this.request = request;
    this.done = done;
    this.needsNew = needsNew;
  }
}
