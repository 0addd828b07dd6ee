/** What others need of the generated client. */
export { Prisma } from './generated/client.js';
