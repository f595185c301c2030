import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';

type Sources = ReadonlyMap<string, string>;

/** What each file imports, type imports too: `cli/train.ts` → `util/errors.ts`. */
function importsOf(file: string, text: string): string[] {
  const paths = [...text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map(([, path]) => path!);
  return paths.map((path) => posix.join(posix.dirname(file), path).replace(/\.js$/, '.ts'));
}

/** Imports that point up in the order of folders. Files beside the folders stand above them all. */
function upward(sources: Sources, order: readonly string[]): string[] {
  const floor = (file: string) => (file.includes('/') ? order.indexOf(file.split('/')[0]!) : -1);
  return [...sources].flatMap(([file, text]) =>
    importsOf(file, text)
      .filter((imported) => floor(imported) < floor(file))
      .map((imported) => `${file} → ${imported}`),
  );
}

/** The files of a circle of imports, if there is one. */
function circle(sources: Sources): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    const imports = importsOf(file, sources.get(file) ?? '');
    const found = imports
      .map((imported) => visit(imported, [...path, file]))
      .find(({ length }) => length > 0);
    done.add(file);
    return found ?? [];
  };
  return [...sources.keys()].map((file) => visit(file, [])).find(({ length }) => length > 0) ?? [];
}

const files = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' });
const sources: Sources = new Map(
  files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(join(packageRoot, 'src', file), 'utf8')]),
);
const map = readFileSync(join(packageRoot, 'docs', 'architecture.md'), 'utf8');
const order = [...map.matchAll(/^\| `src\/(.*?)\/` \|/gm)].map(([, folder]) => folder!);

test('the order of folders in docs/architecture.md names every folder', () => {
  const folders = [...sources.keys()].filter((file) => file.includes('/')).map((file) => file.split('/')[0]!);
  expect([...order].sort()).toEqual([...new Set(folders)].sort());
});

test('no import points up in that order, and none in a circle', () => {
  expect(upward(sources, order)).toEqual([]);
  expect(circle(sources)).toEqual([]);
});

test('an upward import and a circle are noticed, of types and at run time too', () => {
  const made = (text: string) => new Map([...sources, ['util/made.ts', text]]);
  for (const text of [
    "import type { Split } from '../input/batches.js';",
    "import {\n  batches,\n} from '../input/batches.js';",
    "const { batches } = await import('../input/batches.js');",
    "export { batches } from '../input/batches.js';",
    "import '../input/batches.js';",
    "type Split = import('../input/batches.js').Split;",
  ]) {
    expect(upward(made(text), order)).toEqual(['util/made.ts → input/batches.ts']);
  }
  const one = ['a.ts', "import type { B } from './b.js';"] as const;
  expect(circle(new Map([one, ['b.ts', "import { a } from './a.js';"]]))).toEqual(['a.ts', 'b.ts', 'a.ts']);
  expect(circle(new Map([one, ['b.ts', 'export const b = 1;']]))).toEqual([]);
});
