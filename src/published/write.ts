import { writeFileAtomic } from '../util/files.js';
import { publishedFiles } from './files.js';

/** `npm run docs:results`: writes what follows from the measurements in results/published. */
for (const [path, content] of await publishedFiles()) await writeFileAtomic(path, content);
