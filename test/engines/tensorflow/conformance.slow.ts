import { createTensorFlowEngine } from '../../../src/engines/tensorflow/index.js';
import { silent } from '../../../src/util/reporter.js';
import { engineConformance } from '../conformance.js';

engineConformance(
  'tensorflow',
  () => createTensorFlowEngine({ device: 'cpu', threads: 2, setup: true, reporter: silent }),
  { runs: 15 },
);
