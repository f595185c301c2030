import { Command } from 'commander';
import { chooseEngine, createEngine } from '../engines/select.js';
import type { Finding } from '../selftest/check.js';
import { selftest } from '../selftest/selftest.js';
import { EXIT } from '../util/errors.js';
import { freeMemory, machine } from '../util/machine.js';
import { packageVersion } from '../util/package.js';
import {
  addEngineOptions,
  addTerminalOptions,
  type EngineCliOptions,
  engineLine,
  type TerminalOptions,
  type WideOption,
  wideOption,
} from './options.js';
import { print, printJson, tableLines } from './print.js';
import { terminalReporter } from './terminal.js';

const EXAMPLES = `
Examples:
  densenet selftest                                     what train would use here
  densenet selftest --engine tensorflow --device gpu    the GPU
  densenet selftest --engine native --json > selftest.json

A compiler, driver or processor may be wrong, and nothing else would show it: training continues, only worse. The
selftest compares an engine, where it runs, with results in double precision that come with the program:

  logits       of five small networks, which have every kind of layer together
  losses       of 20 training steps of three of them, and their logits afterwards
  gradients    of every kind of layer, each the worst tensor
  dropout      its gradient, with the slope of the loss
  bits         two runs must end in the same, and so must one that is resumed from a checkpoint
  memory       one training step of the largest of the paper's networks that fits into what is free, and on a CPU
               takes no more than some seconds

Deviations are relative, in norm, except for bits (how many values differ) and the last loss. The tolerance of logits,
losses and gradients is at least ten times float32 rounding error; that of logits and gradients is also tighter than
TF32 can meet. A row with a reason instead of a deviation stopped with an error; in --json its deviation is null. It
takes a minute or two, once the engine is set up.

Exit codes: 0 all as it should be, 4 something is not. Then compare another --engine, device, driver or compiler (CXX),
and open an issue with the table where you got the program.`;

/** Engines choose their kernels by it: those of most training runs are tested. */
const USUAL_BATCH = 64;

interface SelftestCliOptions extends TerminalOptions, EngineCliOptions, WideOption {}

export function selftestCommand(): Command {
  const command = new Command('selftest')
    .description('check that an engine computes correctly on this machine, against stored results')
    .addHelpText('after', EXAMPLES);
  return addTerminalOptions(addEngineOptions(command).addOption(wideOption())).action(runSelftest);
}

async function runSelftest(options: SelftestCliOptions): Promise<void> {
  const reporter = terminalReporter(options);
  const choice = await chooseEngine(options);
  reporter.line(engineLine(choice));
  const { threads, setup } = options;
  const engine = await createEngine(choice, {
    threads,
    setup,
    batchSize: USUAL_BATCH,
    precision: 'float32',
    reporter,
  });
  const memory = choice.gpu ? (choice.gpu.freeMemory ?? choice.gpu.memory) : freeMemory();
  try {
    const checks = await selftest(engine, { freeMemory: memory, reporter });
    const failed = checks.filter(({ passed }) => !passed).length;
    const { description, precision } = engine;
    const { cpu, platform } = machine();
    if (options.json) {
      printJson({
        passed: failed === 0,
        version: packageVersion,
        engine: description,
        precision,
        cpu,
        platform,
        checks,
      });
    } else {
      print([
        `densenet ${packageVersion}, ${description}, ${precision}`,
        `${cpu}, ${platform}`,
        '',
        ...table(checks, options),
        '',
      ]);
      print(
        failed === 0 ? 'All as it should be.' : `${failed} of ${checks.length} are not as they should be.`,
      );
    }
    if (failed > 0) process.exitCode = EXIT.engine;
  } finally {
    await engine.dispose();
  }
}

function table(checks: readonly Finding[], options: WideOption): string[] {
  const rows = checks.map(({ what, deviation, allowed, passed, note }) => [
    what,
    number(deviation),
    number(allowed),
    `${passed ? 'ok' : 'WRONG'}${note === undefined ? '' : ` (${note})`}`,
  ]);
  const [columns, right] = [
    ['what', 'deviation', 'allowed', 'verdict'],
    ['deviation', 'allowed'],
  ];
  return tableLines({ columns, right, drop: ['allowed', 'deviation'], rows }, options);
}

function number(value: number): string {
  if (!Number.isFinite(value)) return '';
  return Number.isInteger(value) ? String(value) : value.toExponential(1);
}
