import { expect, test } from 'vitest';
import { lastWords } from '../../../src/engines/tensorflow/process/client.js';

const NOTICE =
  'I0000 00:00:1795554713.298361   30698 port.cc:153] oneDNN custom operations are on: round-off errors';

test('the last words of TensorFlow are what it died of, not its notices', () => {
  const abort = "terminate called after throwing an instance of 'std::bad_alloc'";
  expect(lastWords(`${NOTICE}\n${abort}\n\n`)).toBe(abort);
  expect(lastWords(`Error: no kernel\n${abort}\n${NOTICE}\n`)).toBe('Error: no kernel');
  expect(lastWords(`${NOTICE}\n`)).toBeUndefined();
});
