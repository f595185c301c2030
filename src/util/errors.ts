/** Exit codes of the program. They are stable: scripts and schedulers may rely on them. */
export const EXIT = {
  ok: 0,
  usage: 2,
  data: 3,
  engine: 4,
  diverged: 5,
  /** Saved, not finished: the same command resumes it. As sysexits.h has it for a failure that passes (EX_TEMPFAIL). */
  unfinished: 75,
  interrupted: 130,
  /** Of standard output; nothing else went wrong. As a shell has it for SIGPIPE. */
  readerGone: 141,
  terminated: 143,
} as const;

/** `unfinished`: another process is running the same, and the same command may resume it later. */
export type FailureKind = 'usage' | 'data' | 'engine' | 'diverged' | 'unfinished';

/**
 * An error that a person can cause and correct. The program prints it as two lines, what is wrong and what to
 * do, without a stack, and exits with the code of its kind. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  readonly kind: FailureKind;
  /** One line: what to do about it. */
  readonly remedy: string;

  constructor(kind: FailureKind, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.kind = kind;
    this.remedy = remedy;
  }

  get exitCode(): number {
    return EXIT[this.kind];
  }
}

/** Reads the code of a Node system error (`ENOENT`, `ENOSPC`, …), or `undefined` for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
