import { setup as build } from '../build.js';
import { becomeNullGpuMachine } from './machine.js';

/** Compiles the program and makes the null GPU, before all tests. */
export async function setup(): Promise<void> {
  build();
  await becomeNullGpuMachine({
    line: (text) => console.log(text),
    warn: (text) => console.log(text),
    bar: () => ({ update() {}, finish() {} }),
  });
}
