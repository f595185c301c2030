/**
 * Random numbers without hidden state. Every number is a pure function of a key (seed, purpose, epoch, …)
 * and a counter, so a resumed run draws what an uninterrupted one would, in any order, on any thread.
 */

const GOLDEN = 0x9e3779b9;

/** Finaliser of MurmurHash3 (Appleby, public domain): a bijection of 32 bits that mixes every bit. */
function mix(h: number): number {
  let x = h | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** What a random number is drawn for. Different purposes never share numbers. */
export const PURPOSE = {
  order: 1,
  crop: 2,
  mirror: 3,
  initialValue: 4,
  dropout: 5,
  holdOut: 6,
  stochasticDepth: 7,
  jitter: 8,
  jitterOrder: 9,
  lighting: 10,
  testSplit: 11,
} as const;

/** Two 32-bit words that name a sequence of random numbers. */
export type Key = readonly [number, number];

/** Derives the key of one sequence, for example `key(seed, PURPOSE.order, epoch)`. */
export function key(seed: number, ...path: number[]): Key {
  let a = mix(seed ^ GOLDEN);
  let b = mix(a ^ Math.floor(seed / 2 ** 32));
  for (const part of path) {
    a = mix(a ^ Math.imul(part + 1, GOLDEN));
    b = mix(b + a + part);
  }
  return [a >>> 0, b >>> 0];
}

/** Number `counter` of the sequence: an integer in [0, 2³²). */
export function bits(k: Key, counter: number): number {
  const x = mix(k[0] + Math.imul(counter, GOLDEN));
  return mix(x ^ k[1] ^ Math.imul(counter + 1, 0x85ebca77)) >>> 0;
}

/** Number `counter` of the sequence: uniform in [0, 1). */
export function uniform(k: Key, counter: number): number {
  return bits(k, counter) / 2 ** 32;
}

/** Number `counter` of the sequence: standard normal (Box–Muller). */
export function normal(k: Key, counter: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(k, 2 * counter)));
  return radius * Math.cos(2 * Math.PI * uniform(k, 2 * counter + 1));
}

/** A permutation of 0 … n−1 (Fisher–Yates). */
export function permutation(k: Key, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(k, i) * (i + 1));
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}
