import type { NetworkOptions } from '../../networks/build.js';
import type { NetworkInput } from '../../networks/network.js';

/** One thing to measure; every contender does the same. */
export interface Case {
  readonly id: string;
  /** For people. */
  readonly title: string;
  readonly network: NetworkOptions;
  /** The config of the network; `bench` takes DenseNets without one. */
  readonly config?: string;
  readonly input: NetworkInput;
  readonly mode: 'train' | 'predict';
  readonly batch: number;
  readonly precision: 'float32' | 'bfloat16';
  readonly memoryEfficient: boolean;
  /** CPU threads; as many as asked for on the command line where undefined. */
  readonly threads?: number;
}

const small: NetworkInput = { channels: 3, height: 32, width: 32, classes: 10 };
const imagenet: NetworkInput = { channels: 3, height: 224, width: 224, classes: 1000 };

const training = (batch: number) =>
  ({ input: small, mode: 'train', batch, precision: 'float32', memoryEfficient: false }) as const;

const bc = (depth: number, growthRate: number, batch: number): Omit<Case, 'id'> => ({
  ...training(batch),
  title: `BC L=${depth} k=${growthRate}, batch ${batch}`,
  network: { family: 'densenet', depth, growthRate, bottleneck: true, compression: 0.5, dropout: 0 },
});

const basic = (depth: number, growthRate: number, batch: number): Omit<Case, 'id'> => ({
  ...training(batch),
  title: `basic L=${depth} k=${growthRate}, batch ${batch}`,
  network: { family: 'densenet', depth, growthRate, bottleneck: false, compression: 1, dropout: 0 },
});

const densenet121 = (batch: number): Omit<Case, 'id'> => ({
  ...training(batch),
  title: `DenseNet-121, 224×224, batch ${batch}`,
  network: { ...bc(121, 32, batch).network, blocks: [6, 12, 24, 16] },
  input: imagenet,
});

const prediction = (subject: Omit<Case, 'id'>): Omit<Case, 'id'> => ({
  ...subject,
  title: `${subject.title}, prediction`,
  mode: 'predict',
});

const resnet = { family: 'resnet', activation: 'pre', width: 1, dropout: 0, survival: 1 } as const;

/** Networks that the paper compares with. */
const RESIDUAL: readonly Case[] = [
  {
    ...training(64),
    id: 'preresnet-164',
    title: 'pre-activation ResNet-164, batch 64',
    network: { ...resnet, depth: 164, bottleneck: true },
    config: 'cifar10plus-preresnet-164',
  },
  {
    ...training(16),
    id: 'wide-resnet-28-10',
    title: 'Wide ResNet-28-10, batch 16',
    network: { ...resnet, depth: 28, width: 10, bottleneck: false },
    config: 'cifar10plus-wide-resnet-28-10',
  },
  {
    ...training(8),
    id: 'resnet-50',
    title: 'ResNet-50, 224×224, batch 8',
    network: { ...resnet, depth: 50, activation: 'post', bottleneck: true, blocks: [3, 4, 6, 3] },
    config: 'imagenet-resnet-50',
    input: imagenet,
  },
];

/** Activations are computed again in the backward pass. */
const memoryEfficient = (depth: number): Case => ({
  ...bc(depth, 12, 64),
  id: `bc-${depth}-12-efficient`,
  title: `BC L=${depth} k=12, batch 64, memory-efficient`,
  memoryEfficient: true,
});

/** What engines and peers are compared on. */
export const CASES: readonly Case[] = [
  { ...bc(100, 12, 64), id: 'bc-100-12' },
  { ...bc(40, 12, 64), id: 'bc-40-12' },
  { ...basic(40, 12, 64), id: 'basic-40-12' },
  { ...basic(100, 24, 16), id: 'basic-100-24' },
  { ...bc(190, 40, 8), id: 'bc-190-40' },
  { ...prediction(bc(100, 12, 64)), id: 'bc-100-12-predict' },
  { ...densenet121(8), id: 'densenet-121' },
  { ...prediction(densenet121(8)), id: 'densenet-121-predict' },
  ...RESIDUAL,
  { ...prediction(bc(100, 12, 1)), id: 'bc-100-12-single-predict' },
  { ...prediction(densenet121(1)), id: 'densenet-121-single-predict' },
  {
    ...bc(100, 12, 64),
    id: 'bc-100-12-bfloat16',
    title: 'BC L=100 k=12, batch 64, bfloat16',
    precision: 'bfloat16',
  },
  { ...bc(100, 12, 1), id: 'bc-100-12-single' },
  { ...bc(100, 12, 64), id: 'bc-100-12-one-thread', title: 'BC L=100 k=12, batch 64, 1 thread', threads: 1 },
  { ...bc(190, 12, 64), id: 'bc-190-12' },
  { ...bc(250, 12, 64), id: 'bc-250-12' },
  ...[40, 100, 190, 250].map(memoryEfficient),
];
