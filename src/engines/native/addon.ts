import type { Addon } from '../../util/addon/addon.js';
import { findCompiler } from '../../util/compiler.js';

/** The C++ of native/. */
export const NATIVE_ENGINE: Addon = {
  title: 'the native engine',
  cache: 'native',
  library: 'densenet.node',
  sources: 'native',
  headers: [],
  compiler: {
    name: 'a C++ compiler',
    variable: 'CXX',
    remedy: 'Run `apt-get install g++` (macOS: `xcode-select --install`), set CXX',
  },
  findCompiler: () => findCompiler(),
  otherwise: 'use --engine tensorflow',
};
