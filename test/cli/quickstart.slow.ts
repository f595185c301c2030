import { test } from 'vitest';
import { expectQuickstart } from './quickstart.js';

test.each([2, 3])('the quickstart learns with seed %i too', (seed) => expectQuickstart(seed), 600_000);
