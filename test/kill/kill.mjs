#!/usr/bin/env node
// Kills training at random moments, resumes it, and compares: the weights to the bit, the epochs, the files left.
//
//   npm run test:kill -- --rounds 300 [--seed 1] [--mpi]
//
// Each round trains one small experiment on real images. Up to three times its process is ended, mostly by SIGKILL, at
// a moment drawn from its whole time, from the first line of code to the tables; then it is resumed to its end. With
// --mpi every start and resumption is on 1, 2 or 4 processes, of which any may be ended, and all come to the same bits.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../bin/build.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const program = join(root, 'bin', 'densenet');

const EXPERIMENT = 'smoke-fashion-mnist-mini';
const TRAIN = [
  `--config=${EXPERIMENT}`,
  '--subset=320',
  '--set=training.batchSize=32',
  '--set=training.epochs=4',
  '--set=dataset.augmentation=[shift,mirror]',
  '--set=dataset.validation=100',
  '--set=network.dropout=0.2',
  '--engine=native',
];

/** Of five ends, four are without warning. */
const ENDS = ['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM'];

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As many micro-batches as there may be processes. */
const SHARED = '--set=training.accumulate=4';
const PROCESSES = [1, 2, 4];

const MPIRUN = ['mpirun', '--oversubscribe', '--bind-to', 'none', '-np'];
/** Open MPI runs for root only if told so. */
const MPI_ENVIRONMENT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** The processes that mpirun has started; on Linux. */
function ranks(mpirun) {
  try {
    return readFileSync(`/proc/${mpirun}/task/${mpirun}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * Starts the program; resolves with how it ended. `kill` says when and how to end it: of several processes, the one
 * that `which`, from 0 to 1, says.
 */
async function densenet(folder, args, kill, processes = 1) {
  const command = [process.execPath, program, 'train', '--threads=1', ...args];
  const [file, ...rest] = processes > 1 ? [...MPIRUN, `${processes}`, ...command] : command;
  const child = spawn(file, rest, { cwd: folder, env: { ...process.env, ...MPI_ENVIRONMENT, CI: '1' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
  if (kill) {
    await Promise.race([setTimeout(kill.after), ended]);
    const pids = processes > 1 ? ranks(child.pid) : [];
    if (pids.length > 0) endProcess(pids[Math.floor(pids.length * kill.which)], kill.signal);
    else child.kill(kill.signal);
  }
  return ended;
}

function endProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

const runsOf = (folder) => join(folder, 'results', 'runs', EXPERIMENT);

function runFolders(folder) {
  return existsSync(runsOf(folder)) ? readdirSync(runsOf(folder)) : [];
}

/** The run that can be resumed, if there is one yet. */
function hasRun(folder) {
  return runFolders(folder).some((run) => existsSync(join(runsOf(folder), run, 'config.json')));
}

/** All that a run must come to, however often it was stopped. */
function outcome(folder) {
  const [run, ...more] = runFolders(folder);
  const path = join(runsOf(folder), run);
  const weights = (which) => tensorDigest(readFileSync(join(path, 'checkpoint', `${which}.safetensors`)));
  const epochs = readFileSync(join(path, 'epochs.csv'), 'utf8').trim().split('\n');
  const { status, last, best, bestValidation } = JSON.parse(readFileSync(join(path, 'result.json'), 'utf8'));
  return JSON.stringify(
    {
      last: weights('last'),
      best: weights('best'),
      // The last three columns are times.
      epochs: epochs.map((line) => line.split(',').slice(0, -3).join(',')),
      result: { status, last, best, bestValidation },
      log: loggedEpochs(path),
      // TensorBoard has a file of each time that the run went on.
      files: files(path).filter((file) => !file.startsWith('tensorboard/')),
      otherRuns: more,
      strays: files(folder).filter((file) => file.endsWith('.tmp')),
    },
    null,
    1,
  );
}

/** Each epoch once, whatever was done again. */
function loggedEpochs(path) {
  const events = validEvents(parseEvents(readFileSync(join(path, 'log.jsonl'), 'utf8')));
  return events.flatMap((event) => (event.event === 'epoch' ? [[event.epoch, event.testLoss]] : []));
}

function files(path) {
  return readdirSync(path, { recursive: true }).sort();
}

/** Of every tensor with its name: the metadata hold times. */
function tensorDigest(bytes) {
  const headerEnd = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__, ...tensors } = JSON.parse(bytes.subarray(8, headerEnd).toString());
  const hash = createHash('sha256').update(JSON.stringify(tensors));
  return hash.update(bytes.subarray(headerEnd)).digest('hex');
}

async function round(folder, duration, random) {
  const kills = [];
  const processes = () => (values.mpi ? PROCESSES[Math.floor(PROCESSES.length * random())] : 1);
  for (let left = 1 + Math.floor(3 * random()); left > 0; left--) {
    const signal = ENDS[Math.floor(ENDS.length * random())];
    const after = Math.round(duration * random());
    const resume = hasRun(folder);
    const count = processes();
    const kill = { after, signal, which: random() };
    const end = await densenet(folder, resume ? [`--resume=${EXPERIMENT}`] : TRAIN, kill, count);
    const on = values.mpi ? ` on ${count}` : '';
    kills.push(`${resume ? 'resumed' : 'started'}${on}, ${signal} after ${after} ms`);
    if (end.output.includes('This is a bug')) throw new Error(`${kills.join('; ')}:\n${end.output}`);
  }
  const end = await densenet(
    folder,
    hasRun(folder) ? [`--resume=${EXPERIMENT}`] : TRAIN,
    undefined,
    processes(),
  );
  const finished = end.code === 0 || (end.code === 2 && end.output.includes('is finished'));
  if (!finished) throw new Error(`${kills.join('; ')}; then it ended with ${end.code}:\n${end.output}`);
  return kills;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    mpi: { type: 'boolean', default: false },
  },
});
if (values.mpi) TRAIN.push(SHARED);
const rounds = Number(values.rounds);
const random = randomNumbers(Number(values.seed));
if (!ensureBuilt(false)) process.exit(4);
const { parseEvents, validEvents } = await import('../../dist/runs/events.js');

const folder = mkdtempSync(join(tmpdir(), 'densenet-kill-'));
const kept = join(tmpdir(), `densenet-kill-failed-${process.pid}`);
let failed = 0;
let killed = 0;
try {
  const whole = join(folder, 'whole');
  mkdirSync(whole);
  await densenet(whole, [...TRAIN, '--set=training.epochs=1', '--results=warm']);
  rmSync(join(whole, 'warm'), { recursive: true });
  const started = performance.now();
  const { code, output } = await densenet(whole, TRAIN);
  const duration = performance.now() - started;
  if (code !== 0) throw new Error(`the uninterrupted run ended with ${code}:\n${output}`);
  const expected = outcome(whole);
  console.log(`${rounds} rounds, seed ${values.seed}; an uninterrupted run takes ${Math.round(duration)} ms`);
  for (let index = 1; index <= rounds; index++) {
    const place = mkdtempSync(join(folder, 'round-'));
    try {
      const kills = await round(place, duration, random);
      killed += kills.length;
      const found = outcome(place);
      if (found !== expected) throw new Error(`${kills.join('; ')}: other than uninterrupted:\n${found}`);
    } catch (error) {
      failed++;
      console.error(`round ${index}: ${error.message}`);
      cpSync(place, join(kept, `${index}`), { recursive: true, verbatimSymlinks: true });
    }
    rmSync(place, { recursive: true, force: true });
    if (index % 10 === 0) console.log(`${index} rounds, ${killed} kills, ${failed} failed`);
  }
  if (failed > 0) console.error(`expected:\n${expected}\nThe folders of failed rounds are in ${kept}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${rounds} rounds, ${killed} kills: ${rounds - failed} came to the same bits, ${failed} did not`);
process.exitCode = failed > 0 ? 1 : 0;
