/** Fetches a dataset of any definition: node fetch-child.mjs COMPILED '{"definition": …, "folder": …, "mirror": …}' */
import { join } from 'node:path';

const [compiled, request] = process.argv.slice(2);
const { fetchDefinition } = await import(join(compiled, 'datasets', 'fetch.js'));
const { definition, ...options } = JSON.parse(request);
const reporter = {
  line: (text) => console.log(text),
  warn: (text) => console.error(text),
  bar: () => ({ update() {}, finish() {} }),
};
console.log((await fetchDefinition(definition, { ...options, reporter })) ? 'fetched' : 'was whole');
