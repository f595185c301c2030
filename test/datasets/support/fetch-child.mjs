/** Fetches CIFAR-10 of any definition: node fetch-child.mjs DIST '{"definition": …, "folder": …, "mirror": …}' */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, request] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, 'datasets', path)));
const { readCifar } = await load('cifar.js');
const { filesStore } = await load(join('files', 'store.js'));
const { definition, ...options } = JSON.parse(request);
const reporter = {
  line: (text) => console.log(text),
  warn: (text) => console.error(text),
  bar: () => ({ update() {}, finish() {} }),
};
const fetched = await filesStore(definition, readCifar).fetch({ ...options, reporter });
console.log(fetched ? 'fetched' : 'was whole');
