#!/usr/bin/env node
// Two processes with a thread each against one with two, in turn: DenseNet-BC (L=100, k=12), micro-batches of 32 images
// in both. Prints images per second of every pair, and the ratio with its spread. Takes three minutes on two cores.
//
//   node benchmarks/processes/scaling.mjs [--rounds 6]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'densenet');
const NAME = 'scaling';
const TRAIN = [
  '--config=smoke-fashion-mnist-mini',
  `--set=name=${NAME}`,
  '--set=network={depth: 100, growthRate: 12, bottleneck: true, compression: 0.5}',
  '--set=training.batchSize=64',
  '--set=training.accumulate=2',
  '--set=training.epochs=2',
  '--subset=384',
  '--engine=native',
  '--quiet',
];
const MPIRUN = ['mpirun', '--oversubscribe', '--bind-to', 'none', '-np', '2'];
const MPI_ENVIRONMENT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** Images per second of the second epoch: the first prepares memory. */
function measure(folder, launcher, threads) {
  const results = mkdtempSync(join(folder, 'results-'));
  const command = [...launcher, process.execPath, program, 'train', ...TRAIN];
  const args = [...command.slice(1), `--threads=${threads}`, `--results=${results}`];
  const { status, stderr } = spawnSync(command[0], args, {
    env: { ...process.env, ...MPI_ENVIRONMENT },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stderr}`);
  const runs = join(results, 'runs', NAME);
  const lines = readFileSync(join(runs, readdirSync(runs)[0], 'epochs.csv'), 'utf8')
    .trim()
    .split('\n');
  const column = lines[0].split(',').indexOf('images_per_second');
  return Number(lines.at(-1).split(',')[column]);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '6' } } });
const folder = mkdtempSync(join(tmpdir(), 'densenet-scaling-'));
try {
  const ratios = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const measures = {
      one: () => measure(folder, [], 2),
      two: () => measure(folder, MPIRUN, 1),
    };
    const rates = {};
    // Who comes first changes from round to round.
    for (const which of round % 2 === 1 ? ['one', 'two'] : ['two', 'one']) rates[which] = measures[which]();
    ratios.push(rates.two / rates.one);
    const [one, two] = [rates.one, rates.two].map((rate) => rate.toFixed(1));
    console.log(
      `1 × 2 threads: ${one} images/s · 2 × 1 thread: ${two} images/s · ratio ${ratios.at(-1).toFixed(3)}`,
    );
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const squares = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (ratios.length - 1));
  console.log(
    `ratio: mean ${mean.toFixed(3)}, standard deviation ${deviation.toFixed(3)}, n = ${ratios.length}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
