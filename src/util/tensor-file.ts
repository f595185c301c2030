import { UserError } from './errors.js';
import { decodeNpz } from './npz.js';
import { decodeSafetensors, type SafetensorsFile } from './safetensors.js';
import { isZip, readZip } from './zip.js';

/** First byte of a pickle of protocol 2 and later, and of old files of `torch.save`. */
const PICKLE = 0x80;

/**
 * Reads a file of named tensors, safetensors or NumPy's `.npz`, told apart by what they hold. Throws a UserError
 * (data) that begins with `where`, the file's name, if it is neither, or damaged.
 */
export function decodeTensorFile(bytes: Uint8Array, where: string): SafetensorsFile {
  if (isZip(bytes)) {
    const files = readZip(bytes, where);
    // Files of `torch.save` are zip archives too.
    if ([...files.keys()].some((name) => name.endsWith('/data.pkl'))) throw pickle(where);
    return { tensors: decodeNpz(files, where), metadata: {} };
  }
  if (isPickle(bytes)) throw pickle(where);
  return decodeSafetensors(bytes, where);
}

/** A safetensors file begins with a length below 2³², so its bytes 4 to 7 are 0; a pickle's are not. */
function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === PICKLE && bytes.subarray(4, 8).some((byte) => byte !== 0);
}

function pickle(where: string): UserError {
  return new UserError(
    'data',
    `${where}: a pickle of PyTorch, which could run any program when it is read`,
    'Save it as safetensors with three lines of Python: see docs/weights.md.',
  );
}
