/** A kind of file that is often given where weights are wanted. */
export interface FileKind {
  /** With its article, as in "is …". */
  readonly title: string;
  /** One line: how to come to weights from it. */
  readonly remedy: string;
}

const UNPACK = 'Unpack it first, and give the file that is in it.';
const TO_SAFETENSORS = 'Save the weights as safetensors or .npz: see docs/weights.md.';

/** ModelProto begins with the IR version (field 1) and the producer's name (field 2). */
const ONNX = Array.from({ length: 20 }, (_, version) => String.fromCharCode(0x08, version, 0x12));

/** How the bytes begin, each taken as a character. */
const KINDS: readonly (FileKind & { readonly begins: RegExp | readonly string[] })[] = [
  {
    begins: /^version https:\/\/git-lfs\.github\.com\/spec\//,
    title: 'a Git LFS pointer, which stands for the file',
    remedy: 'Fetch the file itself with git lfs pull, or download it from where the repository is.',
  },
  {
    begins: /^(?:ï»¿)?\s*<(!doctype|html|head|body|\?xml)/i,
    title: 'a web page',
    remedy: 'Download the file itself: the address was that of a page, or of an error message.',
  },
  {
    begins: /^(?:ï»¿)?\s*[{[]/,
    title: 'a JSON text',
    remedy: 'Give the .safetensors file itself; weights in several files must be saved as one.',
  },
  { begins: ['\x89HDF\r\n\x1a\n'], title: 'an HDF5 file, as Keras writes them', remedy: TO_SAFETENSORS },
  {
    begins: ['\x93NUMPY'],
    title: 'a single array of NumPy (.npy), without a name',
    remedy: 'Save all arrays under their names in one file with numpy.savez: see docs/weights.md.',
  },
  { begins: ['GGUF'], title: 'a GGUF file', remedy: TO_SAFETENSORS },
  { begins: ONNX, title: 'an ONNX model', remedy: TO_SAFETENSORS },
  { begins: ['\x1f\x8b'], title: 'a gzip file', remedy: UNPACK },
  { begins: /^BZh[1-9]/, title: 'a bzip2 file', remedy: UNPACK },
  { begins: ['\xfd7zXZ\x00'], title: 'an xz file', remedy: UNPACK },
  { begins: ['\x28\xb5\x2f\xfd'], title: 'a Zstandard file', remedy: UNPACK },
  { begins: ['7z\xbc\xaf\x27\x1c'], title: 'a 7-Zip archive', remedy: UNPACK },
  { begins: /^.{257}ustar/s, title: 'a tar archive', remedy: UNPACK },
];

const LONGEST_BEGINNING = 1024;

/** What kind of file the bytes are, where they begin like a known one. */
export function fileKind(bytes: Uint8Array): FileKind | undefined {
  const beginning = Buffer.from(bytes.subarray(0, LONGEST_BEGINNING)).toString('latin1');
  return KINDS.find(({ begins }) =>
    begins instanceof RegExp ? begins.test(beginning) : begins.some((text) => beginning.startsWith(text)),
  );
}
