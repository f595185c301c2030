import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/util/package.js';

const MOST_COLUMNS = 120;

const COMMENT = /^\s*(\/\/|\/\*|\*|#)|\s\/\/\s/;

test('no comment is wider than 120 columns', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  const sources = tracked
    .split('\n')
    .filter((name) => /\.(cc|h|js|mjs|py|sh|ts|ya?ml)$|^(\.ci|bin|test\/native)\/[^.]+$/.test(name));
  expect(sources).toEqual(expect.arrayContaining(['bin/densenet', 'native/network.cc', '.ci/run']));
  const wide = sources.flatMap((name) =>
    readFileSync(join(packageRoot, name), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        COMMENT.test(line) && [...line].length > MOST_COLUMNS ? [`${name}:${index + 1}`] : [],
      ),
  );
  expect(wide).toEqual([]);
});
