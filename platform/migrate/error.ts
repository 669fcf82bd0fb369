export type MigrationProblem =
  /** Its SQL failed now; nothing of it is left in the database. */
  | 'failed'
  /** An earlier run, of the Prisma CLI, left it half applied. */
  | 'failed-before'
  /** Its migration.sql is not what was applied. */
  | 'edited'
  /** There is no readable migration.sql, or no folder at all. */
  | 'missing'
  /** It is to be undone and has no down.sql. */
  | 'no-down';

/** A migration that stops the start. The message is one line that names service and migration and says what to do. */
export class MigrationError extends Error {
  readonly problem: MigrationProblem;
  readonly service: string;
  /** The migration's folder name; undefined when the folder of all migrations is at fault. */
  readonly migration: string | undefined;

  constructor(
    problem: MigrationProblem,
    where: { service: string; migration?: string },
    message: string,
    cause?: unknown,
  ) {
    const subject = where.migration === undefined ? 'migrations' : `migration ${where.migration}`;
    super(
      `${where.service}: ${subject} ${message}`.replaceAll(/\s+/g, ' '),
      cause === undefined ? {} : { cause },
    );
    this.name = 'MigrationError';
    this.problem = problem;
    this.service = where.service;
    this.migration = where.migration;
  }
}
