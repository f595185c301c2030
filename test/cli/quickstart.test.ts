import { test } from 'vitest';
import { expectQuickstart } from './quickstart.js';

test(
  'the quickstart learns: fewer than a quarter of the test images are wrong',
  () => expectQuickstart(1),
  600_000,
);
