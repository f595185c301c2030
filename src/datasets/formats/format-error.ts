/** A file is not what it should be: truncated, damaged, or in another format. The message is one line. */
export class FormatError extends Error {
  readonly path: string;
  /** The message without the path. */
  readonly problem: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.name = 'FormatError';
    this.path = path;
    this.problem = problem;
  }
}

/** Throws `FormatError` unless every label is below `classes`. */
export function checkLabels(labels: Uint8Array, classes: number, path: string): void {
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new FormatError(path, `image ${wrong} has label ${labels[wrong]}, the largest is ${classes - 1}`);
  }
}
