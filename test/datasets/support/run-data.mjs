/** `densenet data …` from compiled sources: node run-data.mjs COMPILED ARGUMENT… */
import { join } from 'node:path';

const [compiled, ...args] = process.argv.slice(2);
const { dataCommand } = await import(join(compiled, 'cli', 'data.js'));
try {
  await dataCommand().parseAsync(args, { from: 'user' });
} catch (error) {
  if (error.remedy === undefined) throw error;
  process.stderr.write(`error: ${error.message}\n${error.remedy}\n`);
  process.exitCode = error.exitCode;
}
