/** How much one session of a run may do. The run is resumed in the next. */
export interface Limits {
  /** Training steps. */
  readonly steps?: number | undefined;
  /** When the program must have ended, in milliseconds since 1970. */
  readonly deadline?: number | undefined;
}

/** Milliseconds to spare, beside those for a step and for a checkpoint: for the tables, and for the program to end. */
const SPARE = 5000;

/** Milliseconds before the end of a Slurm job by which its training has ended: the job must be queued again by then. */
const SLURM_SPARE = 60_000;

/**
 * The limits of this process: `maxTime` counts in seconds from its start, and a Slurm job says when it must end.
 */
export function sessionLimits(
  { maxTime, maxSteps }: { readonly maxTime?: number | undefined; readonly maxSteps?: number | undefined },
  environment: NodeJS.ProcessEnv = process.env,
): Limits {
  const started = Date.now() - 1000 * process.uptime();
  const jobEnd = Number(environment.SLURM_JOB_END_TIME);
  const deadlines = [
    ...(maxTime === undefined ? [] : [started + 1000 * maxTime]),
    ...(jobEnd > 0 ? [1000 * jobEnd - SLURM_SPARE] : []),
  ];
  return { steps: maxSteps, deadline: deadlines.length > 0 ? Math.min(...deadlines) : undefined };
}

/**
 * Aborts `signal` when a limit is reached: before the step that would be too many, or while a step, a checkpoint and
 * the end of the program still fit before the deadline, as long as they took so far. Every session makes some
 * progress: the deadline counts once a step is done, or an epoch is evaluated.
 */
export class SessionLimit {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  private steps = 0;
  private progressed = false;
  private longestStep = 0;
  private longestSave = 0;

  constructor(private readonly limits: Limits) {
    // One timer for the whole time would overflow after 24 days.
    if (limits.deadline !== undefined) this.timer = setInterval(() => this.checkDeadline(), 1000).unref();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  beforeStep(): void {
    if (this.steps === this.limits.steps) this.controller.abort();
    this.checkDeadline();
  }

  stepDone(milliseconds: number): void {
    this.steps++;
    this.progressed = true;
    this.longestStep = Math.max(this.longestStep, milliseconds);
  }

  saved(milliseconds: number): void {
    this.longestSave = Math.max(this.longestSave, milliseconds);
  }

  epochDone(): void {
    this.progressed = true;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private checkDeadline(): void {
    const { deadline } = this.limits;
    if (deadline === undefined || !this.progressed) return;
    if (Date.now() + 2 * (this.longestStep + this.longestSave) + SPARE >= deadline) this.controller.abort();
  }
}
