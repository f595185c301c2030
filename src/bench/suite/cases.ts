import type { DenseNetOptions } from '../../networks/densenet.js';
import type { NetworkInput } from '../../networks/network.js';

/** One thing to measure; every contender does the same. */
export interface Case {
  readonly id: string;
  /** For people. */
  readonly title: string;
  readonly network: Pick<DenseNetOptions, 'depth' | 'growthRate' | 'bottleneck' | 'blocks'>;
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

const bc = (depth: number, growthRate: number, batch: number): Omit<Case, 'id'> => ({
  title: `BC L=${depth} k=${growthRate}, batch ${batch}`,
  network: { depth, growthRate, bottleneck: true },
  input: small,
  mode: 'train',
  batch,
  precision: 'float32',
  memoryEfficient: false,
});

const basic = (depth: number, growthRate: number, batch: number): Omit<Case, 'id'> => ({
  ...bc(depth, growthRate, batch),
  title: `basic L=${depth} k=${growthRate}, batch ${batch}`,
  network: { depth, growthRate, bottleneck: false },
});

const densenet121: Omit<Case, 'id'> = {
  ...bc(121, 32, 8),
  title: 'DenseNet-121, 224×224, batch 8',
  network: { depth: 121, growthRate: 32, bottleneck: true, blocks: [6, 12, 24, 16] },
  input: imagenet,
};

/** Activations are computed again in the backward pass. */
const memoryEfficient = (depth: number): Case => ({
  ...bc(depth, 12, 64),
  id: `bc-${depth}-12-efficient`,
  title: `BC L=${depth} k=12, batch 64, memory-efficient`,
  memoryEfficient: true,
});

/** Networks of the paper on which engines and peers are compared. */
export const CASES: readonly Case[] = [
  { ...bc(100, 12, 64), id: 'bc-100-12' },
  { ...bc(40, 12, 64), id: 'bc-40-12' },
  { ...basic(40, 12, 64), id: 'basic-40-12' },
  { ...basic(100, 24, 16), id: 'basic-100-24' },
  { ...bc(190, 40, 8), id: 'bc-190-40' },
  {
    ...bc(100, 12, 64),
    id: 'bc-100-12-predict',
    title: 'BC L=100 k=12, batch 64, prediction',
    mode: 'predict',
  },
  { ...densenet121, id: 'densenet-121' },
  { ...densenet121, id: 'densenet-121-predict', title: `${densenet121.title}, prediction`, mode: 'predict' },
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
