import { createTensorFlowEngine } from '../../../src/engines/tensorflow/index.js';
import { silent } from '../../../src/util/reporter.js';
import { engineConformance } from '../conformance.js';

const options = { device: 'cpu', threads: 2, setup: true, reporter: silent } as const;

engineConformance('tensorflow', (batchSize) => createTensorFlowEngine({ ...options, batchSize }), {
  runs: 15,
});

engineConformance(
  'tensorflow, graph for a GPU',
  (batchSize) => createTensorFlowEngine({ ...options, batchSize }, 'gpu'),
  {
    runs: 8,
    // On a CPU, TensorFlow's own kernel stands in for cuDNN's, which computes some of them.
    statisticsTolerance: 5e-4,
  },
);
