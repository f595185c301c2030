import { z } from 'zod';

/** Numbers above these are typing mistakes; whether a network fits into memory is another question. */
export const MOST = {
  layers: 10_000,
  channels: 1_000_000,
  images: 1_000_000_000,
  batch: 1_000_000,
  epochs: 1_000_000,
};

/** A whole number from `least` to `most`. */
export const count = (most = Number.MAX_SAFE_INTEGER, least = 1) => z.int().min(least).max(most);
