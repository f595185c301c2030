#!/usr/bin/env node
import { readFileSync } from 'node:fs';
// Computed, not measured: the bytes that a process sends and receives in a step of every network of Table 2, and the
// efficiency to expect from them. Prints the table of docs/cluster.md.
//
//   node benchmarks/processes/wire.mjs
//
// Of P parameters and S running statistics, n processes with a micro-batch each send and receive
// 2·(n−1)/n·4·P bytes of gradients and (n−1)·8·S bytes of statistics. A step takes T/n + bytes/bandwidth, with T the
// step of one process; efficiency is T/n divided by it. Left out: latency, and that small micro-batches may be slower
// per image, or processes not equally fast. T is what configs say was measured, on two cores of an AMD EPYC.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const module = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { parse } = await import('yaml');
const { loadExperiment } = await module('config/load.js');
const { networkOf } = await module('training/model.js');
const { elementCount, isTrainable, parameters } = await module('networks/parameters.js');

const PROCESSES = [2, 8, 32];
/** In bytes per second. */
const BANDWIDTHS = [10e9 / 8, 100e9 / 8];

function bytes(network, processes) {
  const size = (wanted) =>
    parameters(network)
      .filter((parameter) => isTrainable(parameter) === wanted)
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return ((2 * (processes - 1)) / processes) * 4 * size(true) + (processes - 1) * 8 * size(false);
}

/** Seconds of one process's step, where the config says what was measured. */
function stepSeconds({ description, training }) {
  const rate = /from ([\d.]+) images\/s/.exec(description ?? '')?.[1];
  return rate && training.batchSize / Number(rate);
}

const megabytes = (value) => (value / 1e6).toPrecision(3);
const seen = new Map();
const { configs } = parse(readFileSync(join(root, 'experiments', 'table2.yaml'), 'utf8'));
for (const config of configs) {
  const experiment = await loadExperiment(config);
  const network = networkOf(experiment);
  const row = experiment.paper.row;
  const seconds = stepSeconds(experiment);
  const step = seconds && `${seconds.toFixed(2)} s`;
  if (seen.has(row) && (seen.get(row).step || !step)) continue;
  const sent = PROCESSES.map((n) => bytes(network, n));
  const efficiency = BANDWIDTHS.flatMap((bandwidth) =>
    PROCESSES.map((n, index) => {
      if (seconds === undefined || experiment.training.batchSize % n !== 0) return '';
      const alone = seconds / n;
      return `${((100 * alone) / (alone + sent[index] / bandwidth)).toFixed(0)} %`;
    }),
  );
  seen.set(row, { step, cells: [row, step ?? '', ...sent.map(megabytes), ...efficiency] });
}
const heads = BANDWIDTHS.flatMap((bandwidth) =>
  PROCESSES.map((n) => `${n} at ${(8 * bandwidth) / 1e9} Gbit/s`),
);
console.log(
  `| network | step of one | ${PROCESSES.map((n) => `MB at ${n}`).join(' | ')} | ${heads.join(' | ')} |`,
);
console.log(`| --- | ---: |${' ---: |'.repeat(PROCESSES.length + heads.length)}`);
for (const { cells } of seen.values()) console.log(`| ${cells.join(' | ')} |`);
