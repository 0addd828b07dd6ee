/** Keeps zod from compiling its parsers with `new Function`, which the content security policy refuses. Imported before every schema. */
import { z } from 'zod';

z.config({ jitless: true });
