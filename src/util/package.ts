import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, whether this file runs from dist/ or from src/. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The version in package.json, the only place where it is written. */
export const packageVersion = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;
