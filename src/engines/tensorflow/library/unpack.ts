import { UserError } from '../../../util/errors.js';
import { runTool, ToolError } from '../../../util/run-tool.js';

/** What is taken out of the wheels: the library, the C headers for the binding, and CUDA. */
const WANTED = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/',
  'tensorflow/include/xla/tsl/',
  'tensorflow/include/tsl/',
  'nvidia/',
];

/** Python's zipfile leaves out that a file is a program, which CUDA's ptxas must stay: XLA starts it. */
const UNPACK = `
import os, sys, zipfile
folder, wanted, wheels = sys.argv[1], tuple(sys.argv[2].split(',')), sys.argv[3:]
for wheel in wheels:
    with zipfile.ZipFile(wheel) as file:
        for entry in file.infolist():
            if entry.filename.startswith(wanted):
                path = file.extract(entry, folder)
                os.chmod(path, os.stat(path).st_mode | (entry.external_attr >> 16) & 0o111)
`;

/**
 * Unpacks what is wanted of the wheels (zip files) into `folder`, laid out as Python's site-packages. Throws a
 * UserError (engine) with what Python said, such as that the disk is full, or the signal's reason.
 */
export async function unpack(
  python: string,
  wheels: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await runTool(python, ['-c', UNPACK, folder, WANTED.join(','), ...wheels], { signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new UserError(
      'engine',
      `cannot unpack the TensorFlow library into ${folder}: ${error.lastComplaint}`,
      'Make room or give yourself write permission there, or set XDG_CACHE_HOME to another folder.',
      { cause: error },
    );
  }
}
