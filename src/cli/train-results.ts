import type { ErrorAtEpoch } from '../runs/result.js';
import { top5Note } from '../training/narrate.js';
import type { Finished } from '../training/start.js';
import { formatCount, formatDuration } from '../util/format.js';
import { skippedLines } from './options.js';

/** The results of a run, in lines. */
export function resultLines({ folder, experiment, result, note }: Finished, tables: string[]): string[] {
  const lines: string[] = [];
  const line = (text: string) => lines.push(text);
  const { last, best, bestValidation, reported, paperError } = result;
  const error = (label: string, at: ErrorAtEpoch | undefined) => {
    if (!at) return;
    line(`  ${label.padEnd(38)} ${at.error.toFixed(2)} %${top5Note(at.top5Error)}  (epoch ${at.epoch})`);
  };
  line('');
  line(`Done in ${formatDuration(result.seconds)}. Test error of ${experiment.name}:`);
  error('last epoch', last);
  error('epoch with the lowest validation error', bestValidation);
  error('best epoch, chosen on the test set', best);
  if (paperError !== undefined && reported) {
    const rule = reported.rule === 'last' ? 'last epoch' : 'lowest validation error';
    const { table, row, column } = experiment.paper!;
    const source = `Table ${table}, ${row}, ${column}`;
    line(`  ${`paper (${rule})`.padEnd(38)} ${paperError.toFixed(2)} %  (${source})`);
    if (result.subset) line(`  Only ${result.subset} images were used: not comparable with the paper.`);
    if (note) line(`  ${note} Not comparable with the paper.`);
  }
  for (const text of skippedLines(result.skippedImages)) line(text);
  line(`Parameters: ${formatCount(result.parameters)}`);
  line(`Run: ${folder.path}`);
  line(`Tables: ${tables.join(', ')}`);
  return lines;
}
