import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stamp = join(dist, 'stamp');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Names the source: SHA-256 over every file that the compiler reads. */
function sourceDigest() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name));
  for (const file of [
    ...files,
    'bin/build.mjs',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ]) {
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
  if (isBuiltFrom(digest)) return true;
  if (refuse)
    return failed(
      'dist/ is not compiled from the present source, and --no-setup forbids it',
      'Run: npm run build',
    );
  if (!existsSync(compiler))
    return failed(
      'dist/ is not compiled from the present source, and the TypeScript compiler is not installed',
      `Run npm ci in ${root}`,
    );
  let fresh;
  try {
    removeAbandoned();
    fresh = mkdtempSync(join(root, FRESH));
    chmodSync(fresh, 0o755);
  } catch (error) {
    return failed(
      `dist/ is not compiled from the present source, and cannot be: ${error.message}`,
      `Run npm run build in ${root} as a user who may write there.`,
    );
  }
  console.error('Compiling TypeScript (once, a few seconds) …');
  const options = [...process.execArgv, compiler, '-p', 'tsconfig.build.json', '--outDir', fresh];
  const result = spawnSync(process.execPath, options, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    return failed(
      'the TypeScript source does not compile',
      'Run npm ci, then try again; if you changed src/, fix what is named above.',
    );
  }
  try {
    bundleTfjsNode(join(fresh, 'node_modules', '@tensorflow', 'tfjs-node-gpu'));
    writeFileSync(join(fresh, 'stamp'), digest);
    if (!isBuiltFrom(digest)) replace(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return true;
}

/** Whether dist/ was made from the source of this digest, perhaps by another process in the meantime. */
function isBuiltFrom(digest) {
  try {
    return readFileSync(stamp, 'utf8') === digest;
  } catch {
    return false; // there is none, or it is being replaced
  }
}

/** What is wrong and what to do, in two lines. */
function failed(wrong, remedy) {
  console.error(`error: ${wrong}\n${remedy}`);
  process.exitCode = 4;
  return false;
}

/**
 * Puts what the program uses of tfjs-node-gpu where Node looks first: its protocol buffers, and its binding's
 * sources. Were it a dependency of the npm package, its install script would download 400 MB of a TensorFlow that
 * is never loaded, and npm 270 MB of TensorFlow.js.
 */
function bundleTfjsNode(folder) {
  const published = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  for (const part of ['README.md', 'binding', join('dist', 'proto')]) {
    cpSync(join(published, part), join(folder, part), { recursive: true });
  }
  // The Apache License 2.0 in full, which that package leaves out and sharp's has.
  cpSync(join(root, 'node_modules', 'sharp', 'LICENSE'), join(folder, 'LICENSE'));
  const { name, version, license, repository } = JSON.parse(
    readFileSync(join(published, 'package.json'), 'utf8'),
  );
  const description = 'Some of the published files, unchanged.';
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version, description, license, repository }, null, 2),
  );
}

/** How the folders begin that are compiled into. */
const FRESH = 'dist.new-';

/** Milliseconds after which nobody compiles into a folder any more. */
const ABANDONED = 10 * 60_000;

/** Removes what processes left that were killed while they compiled. */
function removeAbandoned() {
  for (const name of readdirSync(root)) {
    if (!name.startsWith(FRESH)) continue;
    const path = join(root, name);
    try {
      if (Date.now() - statSync(path).mtimeMs >= ABANDONED) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another person's, or gone: another process has finished it in this moment.
    }
  }
}

function replace(fresh) {
  const old = `${fresh}.old`;
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch (error) {
    // Another process was faster, with the same source: its dist/ is as good.
    if (!existsSync(stamp)) throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt(false);
