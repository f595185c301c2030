import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** A library of the null GPU: what is written by hand, and which other names it has. */
interface Stub {
  /** Its folder: the driver and NVML come with a machine, the rest with TensorFlow. */
  readonly folder: 'driver' | 'nvml' | 'cuda';
  readonly soname: string;
  readonly source?: string;
  readonly names: RegExp;
}

export const STUBS: readonly Stub[] = [
  { folder: 'driver', soname: 'libcuda.so.1', source: 'driver.c', names: /^cu[A-Z]\w+$/ },
  { folder: 'nvml', soname: 'libnvidia-ml.so.1', source: 'nvml.c', names: /^nvml[A-Z]\w+$/ },
  { folder: 'cuda', soname: 'libcudart.so.12', source: 'runtime.c', names: /^(__)?cuda[A-Z]\w+$/ },
  { folder: 'cuda', soname: 'libcudnn.so.9', source: 'cudnn.c', names: /^cudnn[A-Z]\w+$/ },
  { folder: 'cuda', soname: 'libcublas.so.12', names: /^cublas(?!Lt)\w+$/ },
  { folder: 'cuda', soname: 'libcublasLt.so.12', names: /^cublasLt\w+$/ },
  { folder: 'cuda', soname: 'libcufft.so.11', names: /^cufft\w+$/ },
  { folder: 'cuda', soname: 'libcusolver.so.11', names: /^cusolver\w+$/ },
  { folder: 'cuda', soname: 'libcusparse.so.12', names: /^cusparse\w+$/ },
];

/** Calls of cuBLAS and cuDNN that launch kernels. */
const WORK = [
  /^cublas\w*(gemm|gemv|syrk|trsm|dot|axpy|scal|nrm2|Gemm\w*Ex|Matmul)(_64|Ex|_v2|Batched|Strided\w*)*$/i,
  /^cudnn(BackendExecute|FusedOpsExecute|(Add|Op|Scale|Set|Transform|Reduce)Tensor(4dEx|Ex)?)$/,
  /^cudnn(?!Get|Find)\w*(Forward|Backward)(Data|Filter|Bias|Weights|Training|Inference|Ex|_v8)*$/,
];

/** Functions that hand out something to be pointed to, in their first argument. */
const HANDLE = /^cu(dnn|blas|blasLt|fft|sparse)Create(?!Identity)\w*$/;

/**
 * Compiles the libraries of the null GPU into folders of `target`. They have every name that TensorFlow's library
 * in `tensorflow` looks for. Needs gcc, or the compiler in CC, and nm.
 */
export async function buildStubs(tensorflow: string, target: string): Promise<void> {
  const names = await cudaNames(tensorflow);
  const work = await mkdtemp(join(tmpdir(), 'densenet-null-gpu-'));
  const built = join(work, 'built');
  try {
    for (const stub of STUBS) {
      await mkdir(join(built, stub.folder), { recursive: true });
      const source = join(work, `${stub.soname}.c`);
      await writeFile(source, await sourceOf(stub, names));
      const output = join(built, stub.folder, stub.soname);
      const flags = [
        '-w',
        '-shared',
        '-fPIC',
        '-O1',
        `-I${import.meta.dirname}`,
        `-Wl,-soname,${stub.soname}`,
      ];
      await promisify(execFile)(process.env.CC || 'gcc', [...flags, '-o', output, source, '-ldl']);
    }
    await mkdir(join(target, '..'), { recursive: true });
    await promisify(execFile)('cp', ['-r', built, `${target}.new`]);
    await rename(`${target}.new`, target);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Names of CUDA's that TensorFlow's library defines: each of them loads the real function when first called. */
async function cudaNames(tensorflow: string): Promise<string[]> {
  const names = new Set<string>();
  for (const library of ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2']) {
    const nm = spawn(
      'nm',
      ['--dynamic', '--defined-only', '--no-sort', '--format=posix', join(tensorflow, library)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    for await (const line of createInterface({ input: nm.stdout })) {
      const name = /^\w+/.exec(line)?.[0];
      if (name && STUBS.some((stub) => stub.names.test(name))) names.add(name);
    }
  }
  return [...names].sort();
}

/** The C source of a library: what is written by hand, and every other name with a function that does nothing. */
async function sourceOf({ source, names }: Stub, all: readonly string[]): Promise<string> {
  const written = source ? await readFile(join(import.meta.dirname, source), 'utf8') : '#include "null.h"\n';
  const defined = new Set([...written.matchAll(/^[\w* ]*?\b(\w+)\(/gm)].map((match) => match[1]));
  const rest = all.filter((name) => names.test(name) && !defined.has(name)).map(emptyFunction);
  return [written, ...rest, ''].join('\n');
}

function emptyFunction(name: string): string {
  if (HANDLE.test(name)) return `int ${name}(void **handle) { return null_handle(handle); }`;
  const count = WORK.some((pattern) => pattern.test(name)) ? 'null_count(LIBRARY_CALLS, 1); ' : '';
  return `int ${name}(void) { ${count}return null_call("${name}"); }`;
}
