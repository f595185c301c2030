import { fstatSync, type Stats, statSync } from 'node:fs';

let reserved = false;

/** Where lines are printed: standard output, or standard error where the former is reserved for a file. */
export function printStream(): NodeJS.WriteStream {
  return reserved ? process.stderr : process.stdout;
}

/** Keeps lines out of a file that is to be written, where it is standard output itself: `/dev/stdout` in a pipe. */
export function reserveStandardOutput(path: string): void {
  const [file, standard] = [lookAt(() => statSync(path)), lookAt(() => fstatSync(1))];
  const special = file && (file.isFile() || file.isFIFO() || file.isSocket());
  if (special && file.dev === standard?.dev && file.ino === standard.ino) reserved = true;
}

function lookAt(look: () => Stats): Stats | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
