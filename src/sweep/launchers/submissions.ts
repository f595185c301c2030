import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../util/files.js';
import { parseJson } from '../../util/json.js';
import { readSmallFile } from '../../util/read-files.js';

const submissionSchema = z.object({
  launcher: z.string(),
  /** The queue's number of the job. */
  job: z.string(),
  submitted: z.string(),
  /** The runs, by `wantedKey`, in the order of the job's tasks, from 1. */
  tasks: z.array(z.string()).readonly(),
});
/** A job that was put into a queue: `results/sweeps/<launcher>-<job>.json`. */
export type Submission = Readonly<z.infer<typeof submissionSchema>>;

/** Of a file, at most: many times that of a sweep of 10,000 runs. */
const MOST_BYTES = 10e6;

/** Where submissions and the logs of their tasks are kept. */
export function submissionsFolder(resultsFolder: string): string {
  return join(resultsFolder, 'sweeps');
}

export async function writeSubmission(resultsFolder: string, submission: Submission): Promise<void> {
  const { launcher, job } = submission;
  const path = join(submissionsFolder(resultsFolder), `${launcher}-${job}.json`);
  await writeFileAtomic(path, `${JSON.stringify(submission, null, 2)}\n`);
}

/** What was submitted by a launcher, oldest first. What cannot be read is left out: it only names jobs. */
export async function readSubmissions(resultsFolder: string, launcher: string): Promise<Submission[]> {
  const folder = submissionsFolder(resultsFolder);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const files = await Promise.all(
    names.map((name) => readSmallFile(join(folder, name), MOST_BYTES).catch(() => Buffer.alloc(0))),
  );
  return files
    .flatMap((file) => submissionSchema.safeParse(parseJson(file.toString('utf8'))).data ?? [])
    .filter((submission) => submission.launcher === launcher)
    .sort((a, b) => a.submitted.localeCompare(b.submitted));
}
