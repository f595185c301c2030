import { join } from 'node:path';
import { writeFileAtomic } from '../util/files.js';
import { configsFolder } from './files.js';
import { configJsonSchema } from './json-schema.js';

/** `npm run schema`: writes configs/schema.json, by which editors complete and check configs. */
await writeFileAtomic(join(configsFolder, 'schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
