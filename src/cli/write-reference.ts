import { join } from 'node:path';
import { writeFileAtomic } from '../util/files.js';
import { packageRoot } from '../util/package.js';
import { cliReference } from './reference.js';

/** `npm run docs:cli`: writes docs/cli.md. */
await writeFileAtomic(join(packageRoot, 'docs', 'cli.md'), await cliReference());
