import { expect, test } from 'vitest';
import { didYouMean } from '../../src/cli/did-you-mean.js';

test.each([
  [
    "error: unknown command 'lst'\n(Did you mean list?)\n",
    "error: unknown command 'lst'\nDid you mean 'list'? ",
  ],
  [
    "error: unknown option '--ste'\n(Did you mean one of --set, --seed?)\n",
    "error: unknown option '--ste'\nDid you mean '--set' or '--seed'? ",
  ],
  [
    "error: option '--engine <name>' argument 'natve' is invalid. Allowed choices are auto, native, tensorflow.\n",
    "error: option '--engine <name>' argument 'natve' is invalid\nDid you mean 'native'? Valid: auto, native, tensorflow. ",
  ],
  [
    "error: command-argument value 'curve' is invalid for argument 'figure'. Allowed choices are 3, curves.\n",
    "error: command-argument value 'curve' is invalid for argument 'figure'\nDid you mean 'curves'? Valid: 3, curves. ",
  ],
  ["error: unknown command 'nothing'\n", "error: unknown command 'nothing'\n"],
])('commander says %j as the rest of the program would', (text, said) => {
  expect(didYouMean(text)).toBe(said);
});
