import { spawn } from 'node:child_process';
import { systemCode } from '../../util/errors.js';

/** A program that could not be started, or ended with another code than 0. */
export class ProcessFailure extends Error {
  constructor(
    file: string,
    /** One line: the last that the program said, or why it did not start. */
    readonly reason: string,
  ) {
    super(`${file}: ${reason}`);
    this.name = 'ProcessFailure';
  }
}

/** Runs a program to its end and returns what it printed on standard output. Throws a ProcessFailure. */
export function runProcess(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-10_000);
    });
    child.on('error', (error) =>
      reject(new ProcessFailure(file, `cannot be started (${systemCode(error)})`)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const ended = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      reject(new ProcessFailure(file, failureLine(stderr) ?? ended));
    });
  });
}

/** The line of a program's last words that says what is wrong: its error, else its last. */
function failureLine(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const error = lines.findLast((line) => /^(error: |[\w.]*Error\b)/.test(line));
  return (error ?? lines.at(-1))?.replace(/^error: /, '');
}
