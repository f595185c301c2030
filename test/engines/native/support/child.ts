import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Network } from '../../../../src/networks/network.js';

export interface ChildResult {
  /** SHA-256 of the state after training. */
  readonly digest?: string;
  readonly error?: { name: string; kind: string; message: string; remedy: string };
  /** What the engine told the reporter. */
  readonly lines: readonly string[];
}

export interface ChildRequest {
  readonly network: Network;
  readonly threads: number;
  readonly steps: number;
  readonly setup?: boolean;
}

/** Trains in a process of its own, with the compiled program in dist/. */
export async function trainInChild(
  request: ChildRequest,
  environment: NodeJS.ProcessEnv = {},
): Promise<ChildResult> {
  const script = fileURLToPath(new URL('train-child.mjs', import.meta.url));
  const dist = fileURLToPath(new URL('../../../../dist', import.meta.url));
  const argument = JSON.stringify({ dist, setup: true, ...request });
  const env = { ...process.env, ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, [script, argument], { env });
  return JSON.parse(stdout) as ChildResult;
}
