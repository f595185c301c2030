import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';

const documents = [
  ...readdirSync(packageRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(packageRoot, 'docs')).map((name) => `docs/${name}`),
];
/** Those that speak of the present. */
const current = documents.filter((name) => name !== 'CHANGELOG.md' && name !== 'docs/log.md');

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');

/** The anchors that GitHub gives to the headings of a document. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(documents)('%s links to what is there', (name) => {
  const links = [...read(name).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link]) => link!);
  const broken = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? name : join(dirname(name), path);
    if (!existsSync(join(packageRoot, target))) return true;
    return anchor !== undefined && !anchors(read(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(current)('%s names files that are there', (name) => {
  const named = read(name).matchAll(/`((?:bin|configs|docs|experiments|native|src|test)\/[\w./-]+)`/g);
  const missing = [...named].map(([, path]) => path!).filter((path) => !existsSync(join(packageRoot, path)));
  expect(missing).toEqual([]);
});
