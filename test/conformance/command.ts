import { Fault } from './audit.js';
import { catalogue } from './catalogue.js';
import { Misused, readOptions, usage } from './options.js';
import { openPeer } from './peer.js';
import { lineOf, summaryOf, tableOf } from './report.js';
import { run } from './run.js';

/** Runs the audits as the command line says. Answers the exit code: 1 where a MUST is not ok, 2 where it could not be run. */
export async function command(args: string[], print: (line: string) => void): Promise<number> {
  try {
    const { list, help, only, target } = readOptions(args);
    const audits = catalogue.filter(({ id }) => id.startsWith(only));
    if (audits.length === 0) throw new Misused(`No audit's id begins with ${only}`);
    if (help) print(usage);
    else if (list) print(tableOf(audits));
    else if (!target) throw new Misused('Say which server: ws://host:port/graphql');
    if (help || list || !target) return 0;
    // Else each audit would say that there is nobody.
    (await openPeer(target)).terminate();
    const outcomes = await run(target, audits, { onOutcome: (outcome) => print(lineOf(outcome)) });
    print(summaryOf(outcomes));
    return outcomes.some(({ verdict, audit }) => verdict === 'not ok' && audit.level === 'MUST') ? 1 : 0;
  } catch (error) {
    if (error instanceof Misused) print(`${error.message}\n\n${usage}`);
    else if (error instanceof Fault) print(error.message);
    else throw error;
    return 2;
  }
}
