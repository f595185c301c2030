import { type FailureKind, UserError } from '../util/errors.js';

/** An error on its way to the other processes. */
export interface Failure {
  /** Undefined for bugs. */
  readonly kind?: FailureKind | undefined;
  readonly name: string;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly stack?: string | undefined;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) {
    const { kind, name, message, remedy } = error;
    return { kind, name, message, remedy };
  }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { name: 'Error', message: String(error) };
}

/** The error as all processes throw it, with the place that it comes from. */
export function errorOf({ kind, name, message, remedy, stack }: Failure, from: string): Error {
  if (kind && remedy) return new UserError(kind, `${from}${message}`, remedy);
  const error = new Error(`${from}${message}`);
  error.name = name;
  if (stack !== undefined) error.stack = `${from}${stack}`;
  return error;
}
