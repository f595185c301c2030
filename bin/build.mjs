import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = join(dist, 'stamp');

/** Names the source: SHA-256 over every file that the compiler reads. */
function sourceDigest() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name));
  for (const file of [...files, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * Compiles src/ to dist/ unless dist/ was made from these very files. Compiles into a folder of its own and
 * renames it, so that two processes at once do no harm. Returns whether dist/ can be run.
 */
export function ensureBuilt(refuse) {
  if (!existsSync(join(root, 'tsconfig.json'))) return true; // an npm package: it holds dist/ and no source
  const digest = sourceDigest();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return true;
  if (refuse) {
    console.error('error: dist/ is not compiled from the present source, and --no-setup forbids to do it');
    console.error('Run: npm run build');
    process.exitCode = 4;
    return false;
  }
  console.error('Compiling TypeScript (once, a few seconds) …');
  const fresh = join(root, `dist.${process.pid}`);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    console.error('error: the TypeScript source does not compile');
    console.error('Run npm ci, then try again; if you changed src/, mend what is named above.');
    process.exitCode = 4;
    return false;
  }
  writeFileSync(join(fresh, 'stamp'), digest);
  replace(fresh);
  return true;
}

function replace(fresh) {
  const old = join(root, `dist.old.${process.pid}`);
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch (error) {
    // Another process was faster, with the same source: its dist/ is as good.
    if (!existsSync(stamp)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt(false);
