/** Fetches CIFAR-10 of any definition: node fetch-child.mjs '{"definition": …, "folder": …, "mirror": …}' */
import { readCifar } from '../../../dist/datasets/cifar.js';
import { filesStore } from '../../../dist/datasets/files/store.js';

const { definition, ...options } = JSON.parse(process.argv[2]);
const reporter = {
  line: (text) => console.log(text),
  warn: (text) => console.error(text),
  bar: () => ({ update() {}, finish() {} }),
};
const fetched = await filesStore(definition, readCifar).fetch({ ...options, reporter });
console.log(fetched ? 'fetched' : 'was whole');
