/** One finding about this machine. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, for people. */
  readonly found: string;
  /** What to do about it, where it is not ok. */
  readonly remedy?: string;
}
