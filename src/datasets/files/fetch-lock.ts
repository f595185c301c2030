import { rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { statOf } from '../../util/files.js';
import { isDead, ownerName, shownOwner } from '../../util/owner.js';
import { makeOwnerFile, NAMELESS, readOwnerFile } from '../../util/owner-file.js';

const LOCK = '.lock';
const BEAT = 5_000;
const SILENCE = 60_000;
const POLL = 500;

/**
 * Runs `work` while no other process fetches into `folder`; waits for one that does. The lock spares double
 * downloads; it need not be perfect, since every process writes to a workspace of its own. It is a file that
 * names its owner and is touched every 5 s. It is void once its owner is dead (on this host) or silent for 60 s, and
 * after a second if it names nobody.
 * @param onWait hears, once, whom it is waiting for
 */
export async function withFetchLock<T>(
  folder: string,
  onWait: (owner: string) => void,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(folder, LOCK);
  await acquire(path, onWait, signal);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await readOwner(path))?.text === ownerName(process.pid)) await rm(path, { force: true });
  }
}

/** Removes the lock of a process that died when it was all but done. */
export async function removeDeadLock(folder: string): Promise<void> {
  const path = join(folder, LOCK);
  const owner = await readOwner(path);
  if (owner && isDead(owner.text)) await rm(path, { force: true });
}

async function acquire(path: string, onWait: (owner: string) => void, signal?: AbortSignal): Promise<void> {
  let lastBeat: number | undefined;
  let silentSince = performance.now();
  for (let waiting = false; ; ) {
    if (await makeOwnerFile(path)) return;
    const owner = await readOwner(path);
    if (owner === undefined) continue;
    if (owner.beat !== lastBeat) {
      lastBeat = owner.beat;
      silentSince = performance.now();
    }
    const patience = owner.text === '' ? NAMELESS : SILENCE;
    if (isDead(owner.text) || performance.now() - silentSince > patience) {
      await rm(path, { force: true });
      continue;
    }
    // Between its creation and its first byte a lock names nobody yet.
    if (!waiting && owner.text !== '') onWait(shownOwner(owner.text));
    waiting ||= owner.text !== '';
    await sleep(POLL, undefined, { signal });
  }
}

async function readOwner(path: string): Promise<{ text: string; beat: number } | undefined> {
  const text = await readOwnerFile(path);
  const beat = (await statOf(path))?.mtimeMs;
  return text === undefined || beat === undefined ? undefined : { text, beat };
}
