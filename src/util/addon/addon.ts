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
  /** What compiles it: what it is called, the environment variable that names it, and how to get it. */
  readonly compiler: { readonly name: string; readonly variable: string; readonly remedy: string };
  /** The compiler that is there; undefined if none is. */
  findCompiler(): Promise<Compiler | undefined>;
  /** What to do where it cannot be built; ends a sentence, as `use --engine tensorflow` does. */
  readonly otherwise: string;
}
