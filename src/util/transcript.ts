import type { Reporter } from './reporter.js';

/** What a person was told. */
export interface Said {
  readonly time: Date;
  readonly kind: 'line' | 'warning';
  readonly text: string;
}

/** Who takes down what was said. */
export interface Listener {
  take(said: Said): void;
  /** Resolves when all so far is taken down, or could not be. */
  settled(): Promise<void>;
}

/** Keeps what a person is told until somebody listens, who is then given all of it and what is said from then on. */
export class Transcript {
  private said: Said[] = [];
  private listener: Listener | undefined;

  note(text: string, kind: Said['kind'] = 'line'): void {
    const said = { time: new Date(), kind, text };
    if (this.listener) this.listener.take(said);
    else this.said.push(said);
  }

  listen(listener: Listener): void {
    this.listener = listener;
    for (const said of this.said.splice(0)) listener.take(said);
  }

  async settled(): Promise<void> {
    await this.listener?.settled();
  }

  /** A reporter that says all that `reporter` does, and keeps it here. */
  of(reporter: Reporter): Reporter {
    return {
      line: (text) => {
        this.note(text);
        reporter.line(text);
      },
      warn: (text) => {
        this.note(text, 'warning');
        reporter.warn(text);
      },
      bar: (label, total, unit) => reporter.bar(label, total, unit),
    };
  }
}
