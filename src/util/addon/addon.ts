import type { Compiler } from '../compiler.js';

/** A part of the program that is compiled on the machine it runs on: C++ files behind bindings of Node-API. */
export interface Addon {
  /** For people: `the native engine`. */
  readonly title: string;
  /** Its folder below the cache, and the file there. */
  readonly cache: string;
  readonly library: string;
  /** Folder of the package with its files. */
  readonly sources: string;
  /** Files of the package outside it that they include. */
  readonly headers: readonly string[];
  /** What compiles it: what it is called, how to get it, and what is there; undefined if nothing is. */
  readonly compiler: { readonly name: string; readonly remedy: string };
  findCompiler(): Promise<Compiler | undefined>;
  /** What to do where it cannot be built; ends a sentence, as `use --engine tensorflow` does. */
  readonly otherwise: string;
}
