import { fileURLToPath } from 'node:url';
import { type Running, startNode } from '../../program.js';

/** Starts a process that fetches a dataset of our own definition. `request` is what fetch-child.mjs reads. */
export function fetchInChild(folder: string, request: object): Running {
  return startNode(folder, [
    fileURLToPath(new URL('fetch-child.mjs', import.meta.url)),
    JSON.stringify(request),
  ]);
}
