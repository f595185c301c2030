import { BusyError } from '../runs/claim.js';
import { heartbeat } from '../runs/heartbeat.js';
import { linkLog } from '../runs/launcher-log.js';
import type { RunResult } from '../runs/result.js';
import { UserError } from '../util/errors.js';
import { Transcript } from '../util/transcript.js';
import { SessionLimit } from './limits.js';
import { Trainer, type TrainingRun } from './trainer.js';

/**
 * Trains from `start` to the last epoch and leaves every result in the run's folder. Returns with the status
 * `finished`, or `interrupted` by the signal or a limit. Throws a UserError (diverged) when a loss is not finite; the
 * last good checkpoint stays. Throws a BusyError if another process has taken the run over, and leaves it the folder.
 */
export async function train(given: TrainingRun): Promise<RunResult> {
  const run = transcribed(given);
  await run.model.importState(run.start.state);
  const limit = new SessionLimit(run.limits ?? {});
  const signal = run.group.together(AbortSignal.any([run.signal, limit.signal]));
  const trainer = new Trainer({ ...run, signal }, limit);
  await run.claim?.confirm();
  if (!run.resumed) await trainer.save(run.start.state);
  await trainer.writeResult('running');
  // Last, since a run exists once its config is there: whenever it is killed, it can be resumed.
  await run.folder?.writeJson(run.folder.config, run.experiment);
  await run.claim?.release();
  if (run.folder) await linkLog(run.folder);
  trainer.openLog();
  const stopBeating = run.folder ? heartbeat(run.folder.result) : () => {};
  // A run that was killed between its last checkpoint and this file has nothing left to train.
  if (run.start.progress.history.length > 0) await run.folder?.writeEpochs(run.start.progress.history);
  if (run.folder) run.reporter.line(`Run folder: ${run.folder.path}`);
  try {
    await trainer.run();
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      await trainer.save();
      await trainer.gatherSkipped();
      return await trainer.writeResult('interrupted');
    }
    if (error instanceof BusyError) throw error;
    const status = error instanceof UserError && error.kind === 'diverged' ? 'diverged' : 'failed';
    await trainer.writeResult(status, error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    limit.close();
    stopBeating();
    await trainer.log?.settled();
  }
  await trainer.gatherSkipped();
  const result = await trainer.writeResult('finished');
  await trainer.log?.settled();
  return result;
}

/** A run whose reporter's words are kept for its log. */
function transcribed(run: TrainingRun): TrainingRun & { readonly transcript: Transcript } {
  const transcript = run.transcript ?? new Transcript();
  return { ...run, transcript, reporter: run.transcript ? run.reporter : transcript.of(run.reporter) };
}
