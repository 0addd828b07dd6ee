/** The text of `.env.example` at the root of the repository. */
import { renderEnvExample } from '@tidewire/server-kit/options';
import { optionTable } from './config.js';

const head = `# Copy this file to .env and take away the # where you want another value.
# Values given on the command line win over those in the environment, and those over .env.

`;

export function envExample(): string {
  return head + renderEnvExample(optionTable);
}
