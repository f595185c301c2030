import { UserError } from '../../../util/errors.js';

/** A file of the Python package index, pinned by its digest. */
export interface Wheel {
  /** As pip names it. */
  readonly requirement: string;
  readonly sha256: string;
  readonly bytes: number;
}

export const TENSORFLOW_VERSION = '2.21.0';

/** The library does not depend on Python; one version of its wheels serves all. */
export const PYTHON_TAGS = { version: '3.12', abi: 'cp312' } as const;

const CPU: Readonly<Record<string, Wheel>> = {
  x64: {
    requirement: 'tensorflow-cpu==2.21.0',
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    bytes: 274_000_871,
  },
  arm64: {
    requirement: 'tensorflow==2.21.0',
    sha256: 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552',
    bytes: 281_946_471,
  },
};

/** TensorFlow with CUDA kernels, and the CUDA libraries that its extra `and-cuda` asks for. */
const GPU: readonly Wheel[] = [
  {
    requirement: 'tensorflow==2.21.0',
    sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
    bytes: 572_611_111,
  },
  {
    requirement: 'nvidia-cublas-cu12==12.9.3.13',
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    bytes: 581_200_000,
  },
  {
    // Not later: 9.11 gave up Pascal, and releases after it Volta, for which TensorFlow has kernels.
    requirement: 'nvidia-cudnn-cu12==9.10.2.21',
    sha256: '949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8',
    bytes: 706_800_000,
  },
  {
    requirement: 'nvidia-nccl-cu12==2.32.3',
    sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    bytes: 351_500_000,
  },
  {
    requirement: 'nvidia-cuda-cupti-cu12==12.8.90',
    sha256: 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182',
    bytes: 10_200_000,
  },
  {
    requirement: 'nvidia-cuda-nvcc-cu12==12.9.86',
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    bytes: 40_500_000,
  },
  {
    requirement: 'nvidia-cuda-nvrtc-cu12==12.9.86',
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    bytes: 89_600_000,
  },
  {
    requirement: 'nvidia-cuda-runtime-cu12==12.9.79',
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    bytes: 3_500_000,
  },
  {
    requirement: 'nvidia-cufft-cu12==11.4.1.4',
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    bytes: 200_900_000,
  },
  {
    requirement: 'nvidia-curand-cu12==10.3.10.19',
    sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    bytes: 68_300_000,
  },
  {
    requirement: 'nvidia-cusolver-cu12==11.7.5.82',
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    bytes: 338_100_000,
  },
  {
    requirement: 'nvidia-cusparse-cu12==12.5.10.65',
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    bytes: 366_500_000,
  },
  {
    requirement: 'nvidia-nvjitlink-cu12==12.9.86',
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    bytes: 39_700_000,
  },
];

/** The wheels that a device needs on this machine. Throws a UserError (engine) where there are none. */
export function wheelsFor(device: 'cpu' | 'gpu', architecture: string = process.arch): readonly Wheel[] {
  if (process.platform !== 'linux') {
    throw new UserError(
      'engine',
      'the TensorFlow engine runs on Linux only',
      process.platform === 'win32'
        ? 'Use the Windows Subsystem for Linux (WSL 2), or --engine native.'
        : 'Use --engine native.',
    );
  }
  if (device === 'gpu') {
    if (architecture === 'x64') return GPU;
    throw new UserError(
      'engine',
      `TensorFlow with CUDA is not published for ${architecture}`,
      'Use --device cpu, or a machine with an x86-64 processor.',
    );
  }
  const wheel = CPU[architecture];
  if (wheel) return [wheel];
  throw new UserError(
    'engine',
    `TensorFlow is not published for ${architecture}`,
    'Use --engine native, or a machine with an x86-64 or Arm processor of 64 bits.',
  );
}
