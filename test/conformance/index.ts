/**
 * Holds a GraphQL server against the GraphQL over WebSocket Protocol: `npm run conformance -- ws://host:port/graphql`.
 * docs/conformance.md says what is audited; `--help` lists the options.
 */
import { command } from './command.js';

try {
  process.exitCode = await command(process.argv.slice(2), console.log);
} catch (error) {
  console.error(error);
  process.exitCode = 2;
}
