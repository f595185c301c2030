import { findBuilt } from '../util/addon/build.js';
import { findCompiler } from '../util/compiler.js';
import { silent } from '../util/reporter.js';
import { NATIVE_ENGINE } from './native/addon.js';
import { loadNative } from './native/loader.js';
import { TENSORFLOW_VERSION } from './tensorflow/library/packages.js';
import { findLibrary } from './tensorflow/library/setup.js';

/** What the engines are here, one line each. Nothing is built or fetched, and no engine is started. */
export async function engineVersions(): Promise<string[]> {
  return [
    `native engine: ${await nativeVersion()}`,
    `TensorFlow: ${(await findLibrary('cpu')) ? TENSORFLOW_VERSION : 'not set up'}`,
  ];
}

/** `AVX2, c++ (Debian 12.2.0-14+deb12u1) 12.2.0` */
async function nativeVersion(): Promise<string> {
  const compiler = await findCompiler();
  const name = compiler?.version ?? 'no C++ compiler';
  if (!(await findBuilt(NATIVE_ENGINE, compiler))) return `not built yet, ${name}`;
  const { instructions } = await loadNative({ setup: false, reporter: silent });
  return `${instructions}, ${name}`;
}
