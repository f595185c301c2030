import { expect, test } from 'vitest';
import { printable, printableLine } from '../../src/util/printable.js';

test('characters that a terminal obeys are shown; all others stay as they are', () => {
  expect(printableLine('a\u001b[31m\u009b\u202e\u2066\u2028b\r\n\tc')).toBe(
    'a\\u001b[31m\\u009b\\u202e\\u2066\\u2028b\\r\\n\\tc',
  );
  const innocent = 'L=100, 3×3, ± 0.5 %, ½, 漢字, עברית, 👩‍🔬';
  expect(printableLine(innocent)).toBe(innocent);
  expect(printable('one\n\u0007two\n')).toBe('one\n\\u0007two\n');
});
