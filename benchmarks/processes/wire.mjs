#!/usr/bin/env node
// Computed, not measured: the bytes that a process sends and receives in a step of every network of Table 2, the
// efficiency to expect from them, and the days that its row takes. Prints the tables of docs/cluster.md and
// docs/reproduction.md.
//
//   node benchmarks/processes/wire.mjs [--measure [--steps 3]]
//
// Of P parameters and S running statistics, n processes with a micro-batch each send and receive
// 2·(n−1)/n·4·P bytes of gradients and (n−1)·8·S bytes of statistics. A step takes T/n + bytes/bandwidth, with T the
// step of one process; efficiency is T/n divided by it. Left out: latency, and that small micro-batches may be slower
// per image, or processes not equally fast. T is what configs say was measured, or else in steps.csv beside this file.
//
// --measure times a few steps of each network that has neither, on the native engine, and adds them to steps.csv: five
// minutes on two cores on which nothing else runs. What was measured stays when it is stopped.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parse as parseCsv } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { parse } from 'yaml';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const STEPS = join(here, 'steps.csv');
const module = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { loadExperiment } = await module('config/load.js');
const { networkOf } = await module('training/model.js');
const { definitionOf } = await module('datasets/definitions.js');
const { multiplyAdds } = await module('networks/counts.js');
const { elementCount, isTrainable, parameters } = await module('networks/parameters.js');

const PROCESSES = [2, 8, 32];
/** In bytes per second. */
const BANDWIDTHS = [10e9 / 8, 100e9 / 8];

/** The configs of Table 2 by their rows, each with the seconds of one process's step where they were measured. */
async function rows() {
  const measured = new Map(
    readSteps().map(({ row, step_ms_median }) => [row, Number(step_ms_median) / 1000]),
  );
  const found = new Map();
  const { configs } = parse(readFileSync(join(root, 'experiments', 'table2.yaml'), 'utf8'));
  for (const config of configs) {
    const experiment = await loadExperiment(config);
    const { row } = experiment.paper;
    const known = found.get(row) ?? { row, config, experiment, all: [] };
    const seconds = stepSeconds(experiment);
    // Bytes and efficiency are those of the network that was measured.
    const first = known.seconds === undefined && seconds !== undefined ? { config, experiment, seconds } : {};
    found.set(row, { ...known, ...first, all: [...known.all, experiment] });
  }
  return [...found.values()].map((one) => ({ ...one, seconds: one.seconds ?? measured.get(one.row) }));
}

/** Steps of a whole training, each as long as that of another experiment's: by images and multiply-adds. */
function stepsOf(experiment, measured) {
  const { dataset, training } = experiment;
  const images = definitionOf(dataset).trainCount - dataset.validation;
  const steps = training.epochs * Math.ceil(images / training.batchSize);
  const work = (one) => one.training.batchSize * multiplyAdds(networkOf(one));
  return (steps * work(experiment)) / work(measured);
}

/** Seconds of one process's step, where the config says what was measured. */
function stepSeconds({ description, training }) {
  const rate = /from ([\d.]+) images\/s/.exec(description ?? '')?.[1];
  return rate && training.batchSize / Number(rate);
}

function readSteps() {
  return existsSync(STEPS) ? parseCsv(readFileSync(STEPS, 'utf8'), { columns: true }) : [];
}

/** Times steps of a network, in a process of their own, and adds them to the file. */
function measure({ row, config, experiment }, steps) {
  const { batchSize } = experiment.training;
  console.error(`${row}: ${steps} steps of ${batchSize} images …`);
  const program = [join(root, 'bin', 'densenet'), 'bench', `--config=${config}`, `--batch=${batchSize}`];
  const options = ['--engine=native', '--warmup=1', `--steps=${steps}`, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...options], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${config} ended with ${status}:\n${stderr}`);
  const { stepMilliseconds, engine, machine, versions } = JSON.parse(stdout);
  const { median, min, max, n } = stepMilliseconds;
  const line = {
    row,
    config,
    batch: batchSize,
    step_ms_median: median.toFixed(1),
    step_ms_min: min.toFixed(1),
    step_ms_max: max.toFixed(1),
    n,
    engine: engine.description,
    cpu: machine.cpu,
    cores: machine.cores,
    commit: versions.git?.commit,
    date: new Date().toISOString(),
  };
  writeFileSync(STEPS, stringify([...readSteps(), line], { header: true }));
}

function bytes(network, processes) {
  const size = (wanted) =>
    parameters(network)
      .filter((parameter) => isTrainable(parameter) === wanted)
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return ((2 * (processes - 1)) / processes) * 4 * size(true) + (processes - 1) * 8 * size(false);
}

/** Seconds of a step of n processes; undefined where that of one was not measured, or the batch does not divide. */
function stepOf({ experiment, seconds }, n, bandwidth) {
  if (seconds === undefined || experiment.training.batchSize % n !== 0) return undefined;
  return seconds / n + bytes(networkOf(experiment), n) / bandwidth;
}

function efficiencyCells(one) {
  const { row, experiment, seconds } = one;
  const megabytes = PROCESSES.map((n) => (bytes(networkOf(experiment), n) / 1e6).toPrecision(3));
  const efficiency = BANDWIDTHS.flatMap((bandwidth) =>
    PROCESSES.map((n) => {
      const step = stepOf(one, n, bandwidth);
      return step === undefined ? '' : `${((100 * seconds) / n / step).toFixed(0)} %`;
    }),
  );
  return [row, seconds ? `${seconds.toFixed(2)} s` : '', ...megabytes, ...efficiency];
}

/** Days of training of a whole row, its datasets together. */
function rowCells(one) {
  const steps = one.all.reduce((sum, experiment) => sum + stepsOf(experiment, one.experiment), 0);
  const days = (step) => (step === undefined ? '' : daysText((steps * step) / 86400));
  const most = PROCESSES.at(-1);
  return [one.row, days(one.seconds), ...BANDWIDTHS.map((bandwidth) => days(stepOf(one, most, bandwidth)))];
}

function daysText(days) {
  return days < 10 ? days.toPrecision(2) : days.toFixed(0);
}

const { values } = parseArgs({
  options: { measure: { type: 'boolean' }, steps: { type: 'string', default: '3' } },
});
if (values.measure) {
  for (const one of await rows()) if (one.seconds === undefined) measure(one, Number(values.steps));
}
const networks = await rows();
const gigabits = (bandwidth) => `${(8 * bandwidth) / 1e9} Gbit/s`;
printTable(
  [
    ...['network', 'step of one'],
    ...PROCESSES.map((n) => `MB at ${n}`),
    ...BANDWIDTHS.flatMap((bandwidth) => PROCESSES.map((n) => `${n} at ${gigabits(bandwidth)}`)),
  ],
  networks.map(efficiencyCells),
);
console.log();
printTable(
  ['row', 'days on 1', ...BANDWIDTHS.map((bandwidth) => `on ${PROCESSES.at(-1)} at ${gigabits(bandwidth)}`)],
  networks.map(rowCells),
);

function printTable(heads, rows) {
  const line = (fields) => console.log(`| ${fields.join(' | ')} |`);
  line(heads);
  console.log(`| --- |${' ---: |'.repeat(heads.length - 1)}`);
  for (const row of rows) line(row);
}
