import { UserError } from './errors.js';
import { fileKind } from './file-kind.js';
import { openNpz } from './npz.js';
import { openSafetensors } from './safetensors.js';
import type { StoredTensors } from './stored-tensor.js';
import { isZip, readZip } from './zip.js';

/** First byte of a pickle of protocol 2 and later, and of old files of `torch.save`. */
const PICKLE = 0x80;

const LENGTH_BYTES = 8;
const OPENING_BRACE = 0x7b;

/**
 * What a file of named tensors holds, safetensors or NumPy's `.npz`, told apart by what they hold. A tensor's values
 * are read when they are asked for, so a file costs no more memory than what is wanted of it.
 * Throws a UserError (data) that begins with `where`, the file's name, if it is neither, or damaged.
 */
export function openTensorFile(bytes: Uint8Array, where: string): StoredTensors {
  if (isZip(bytes)) return openArchive(bytes, where);
  if (isPickle(bytes)) throw pickle(where);
  if (!beginsWithHeader(bytes)) {
    const kind = fileKind(bytes);
    if (kind) throw new UserError('data', `${where}: this is ${kind.title}, not weights`, kind.remedy);
  }
  return openSafetensors(bytes, where);
}

function openArchive(bytes: Uint8Array, where: string): StoredTensors {
  const files = readZip(bytes, where);
  const names = [...files.keys()];
  // Files of `torch.save` are zip archives too.
  if (names.some((name) => name.endsWith('/data.pkl'))) throw pickle(where);
  if (files.size > 0 && !names.some((name) => name.endsWith('.npy'))) {
    throw new UserError(
      'data',
      `${where}: a zip archive without arrays of NumPy`,
      'Unpack it, or save the weights as safetensors or .npz: see docs/weights.md.',
    );
  }
  return { tensors: openNpz(files, where), metadata: {} };
}

/** A safetensors file begins with the length of its header, which is a JSON object. */
function beginsWithHeader(bytes: Uint8Array): boolean {
  return beginsWithLength(bytes) && bytes[LENGTH_BYTES] === OPENING_BRACE;
}

/** A safetensors file begins with a length below 2³², so its bytes 4 to 7 are 0; those of other files are not. */
function beginsWithLength(bytes: Uint8Array): boolean {
  return bytes.length >= LENGTH_BYTES && bytes.subarray(4, LENGTH_BYTES).every((byte) => byte === 0);
}

function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === PICKLE && !beginsWithLength(bytes);
}

function pickle(where: string): UserError {
  return new UserError(
    'data',
    `${where}: a pickle of PyTorch, which could run any program when it is read`,
    'Save it as safetensors with three lines of Python: see docs/weights.md.',
  );
}
