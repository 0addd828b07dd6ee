/** What `npm run bench` and `npm run chaos` need first: the packages installed and built, as `npm start` does it. */
import { build, checkNode, install, PlainError } from '../scripts/workspace.mjs';

try {
  checkNode();
  await install();
  await build('@tidewire/tidewire');
} catch (error) {
  if (!(error instanceof PlainError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
