/** Where the program tells a person what it does. The command line implements it; nothing below prints. */
export interface Reporter {
  /** One line of news. */
  line(text: string): void;
  /** One line that a person should not miss. */
  warn(text: string): void;
  /** A progress bar; plain lines now and then where there is no terminal. Finish it before the next line. */
  bar(label: string, total: number, unit: 'bytes' | 'steps' | 'images'): ProgressBar;
}

export interface ProgressBar {
  /** `value` of `total` is done; `notes` are shown after the bar, as far as there is room, the first ones first. */
  update(value: number, notes?: readonly string[]): void;
  finish(): void;
}

/** Says nothing: for library use and for tests. */
export const silent: Reporter = {
  line() {},
  warn() {},
  bar: () => ({ update() {}, finish() {} }),
};
