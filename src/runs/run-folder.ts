import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { parseExperiment } from '../config/load.js';
import type { Experiment } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import { cannotWrite, writeFileAtomic } from '../util/files.js';
import { type RunEnvironment, runEnvironmentSchema } from './environment.js';
import { type EpochRow, epochsCsv, parseEpochs } from './epochs.js';
import { evaluationSchema, type RunEvaluation } from './evaluation.js';
import { type RunResult, resultSchema, type TenCropResult, tenCropSchema } from './result.js';

/**
 * A folder that explains one run; see docs/results.md. What is read of it is checked, and may have been written by an
 * earlier or a later version. Whatever reads throws a UserError (data) that names the file if it is missing or damaged.
 */
export class RunFolder {
  constructor(
    readonly path: string,
    /** `<experiment>/<run>`: what `--resume` and `eval` accept. */
    readonly name: string,
  ) {}

  get config() {
    return join(this.path, 'config.json');
  }
  get environment() {
    return join(this.path, 'environment.json');
  }
  get epochs() {
    return join(this.path, 'epochs.csv');
  }
  get result() {
    return join(this.path, 'result.json');
  }
  /** Events, one JSON object per line. */
  get eventLog() {
    return join(this.path, 'log.jsonl');
  }
  /** What a person was told, with times. */
  get textLog() {
    return join(this.path, 'log.txt');
  }
  /** Folder of TensorBoard's event files. */
  get tensorboard() {
    return join(this.path, 'tensorboard');
  }
  /** What a person wrote about the run. */
  get note() {
    return join(this.path, 'note.txt');
  }
  /** The tags that a person gave it, one per line. */
  get tags() {
    return join(this.path, 'tags.txt');
  }
  /** The ten-crop errors of a finished run's last weights, once they were evaluated. */
  get tenCrop() {
    return join(this.path, 'ten-crop.json');
  }
  /** What `eval` found with a finished run's last weights, once they were evaluated. */
  get evaluation() {
    return join(this.path, 'evaluation.json');
  }
  /** `previous` is the one before the last. */
  checkpoint(which: 'last' | 'previous' | 'best') {
    return join(this.path, 'checkpoint', `${which}.safetensors`);
  }
  checkpointSummary(which: 'last' | 'best') {
    return join(this.path, 'checkpoint', `${which}.json`);
  }

  /** The config of the run. Throws a UserError (usage) if it is not one that this version knows. */
  readExperiment(): Experiment {
    return parseExperiment(readJson(this.config), this.config);
  }

  readEnvironment(): RunEnvironment {
    return readChecked(this.environment, runEnvironmentSchema);
  }

  readResult(): RunResult {
    return readChecked(this.result, resultSchema);
  }

  /** Undefined if it was not evaluated so. */
  readTenCrop(): TenCropResult | undefined {
    return existsSync(this.tenCrop) ? readChecked(this.tenCrop, tenCropSchema) : undefined;
  }

  /** Undefined if nobody wrote one. */
  readNote(): string | undefined {
    return this.readText(this.note).trim() || undefined;
  }

  readTags(): string[] {
    return this.readText(this.tags).split(/\s+/).filter(Boolean);
  }

  private readText(path: string): string {
    return existsSync(path) ? read(path, (text) => text, 'Remove the file, or take another run.') : '';
  }

  /** Replaces the note. An empty one is removed. */
  async writeNote(text: string): Promise<void> {
    await writeOrRemove(this.note, text.trim());
  }

  /** Replaces the tags; each is kept once. */
  async writeTags(tags: readonly string[]): Promise<void> {
    await writeOrRemove(this.tags, [...new Set(tags)].join('\n'));
  }

  /** Undefined if it was not evaluated. */
  readEvaluation(): RunEvaluation | undefined {
    return existsSync(this.evaluation) ? readChecked(this.evaluation, evaluationSchema) : undefined;
  }

  /** The epochs of the run so far. */
  readEpochs(): EpochRow[] {
    if (!existsSync(this.epochs)) return [];
    return read(this.epochs, parseEpochs, 'Resume the run, which writes the file anew, or take another run.');
  }

  async writeJson(path: string, value: unknown): Promise<void> {
    await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Rewrites epochs.csv from all rows so far. */
  async writeEpochs(rows: readonly EpochRow[]): Promise<void> {
    await writeFileAtomic(this.epochs, epochsCsv(rows));
  }
}

/** No text is no file. */
async function writeOrRemove(path: string, text: string): Promise<void> {
  if (text !== '') return writeFileAtomic(path, `${text}\n`);
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

const INCOMPLETE = 'The run folder is incomplete. Take another run, or start this one again.';

/** Bytes of a JSON or CSV file of a run, at most: those of 100,000 epochs. */
const LARGEST = 16e6;

/** The files are small: read synchronously, those of 1,000 runs take 0.05 s instead of 0.6 s. */
function read<T>(path: string, parse: (text: string) => T, remedy: string): T {
  try {
    // A named pipe would be waited for.
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > LARGEST) throw new Error(`it has more than ${LARGEST / 1e6} MB`);
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const message = `cannot read ${path}: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`;
    throw new UserError('data', message, remedy, { cause: error });
  }
}

function readJson(path: string): unknown {
  return read(path, (text) => JSON.parse(text) as unknown, INCOMPLETE);
}

function readChecked<T>(path: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(readJson(path));
  if (result.success) return result.data;
  const { path: key, message } = result.error.issues[0]!;
  throw new UserError('data', `cannot read ${path}: ${key.join('.') || 'the file'}: ${message}`, INCOMPLETE);
}
