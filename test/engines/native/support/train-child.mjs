// Trains a network for some steps with the compiled program, in a process of its own, and prints one line of JSON:
// the SHA-256 of the exported state and the lines that the engine reported, or the error that a person would see.
// Argument: JSON { dist, network, threads, steps, setup }.
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const { dist, network, threads, steps, setup } = JSON.parse(process.argv[2]);
const load = (path) => import(join(dist, path));
const { createNativeEngine } = await load('engines/native/index.js');
const { initialValues, isTrainable, parameters } = await load('networks/parameters.js');
const { key, normal, uniform } = await load('util/random.js');

const lines = [];
const reporter = { line: (text) => lines.push(text), warn: (text) => lines.push(text), bar: () => undefined };
try {
  const engine = await createNativeEngine({ device: 'cpu', threads, setup, reporter });
  const model = await engine.createModel(network, {
    optimizer: { momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
    seed: 1,
    memoryEfficient: false,
    precision: 'float32',
  });
  const weights = initialValues(network, 1);
  const trainable = parameters(network).filter(isTrainable);
  const zero = ({ name, shape }) => [name, { shape, data: new Float32Array(weights.get(name).data.length) }];
  await model.importState({ weights, momentum: new Map(trainable.map(zero)) });
  const { channels, height, width } = network.input;
  for (let step = 0; step < steps; step++) {
    const size = step % 7 === 6 ? 5 : 12;
    const images = Float32Array.from({ length: size * channels * height * width }, (_, i) =>
      normal(key(step), i),
    );
    const labels = Int32Array.from({ length: size }, (_, i) =>
      Math.floor(uniform(key(step, 1), i) * network.classes),
    );
    const accumulate = 1 + (step % 3);
    await model.train({ images, labels }, { learningRate: 0.05, step, accumulate });
  }
  const hash = createHash('sha256');
  const state = await model.exportState();
  for (const tensors of [state.weights, state.momentum]) {
    for (const [name, { data }] of tensors) hash.update(name).update(data);
  }
  console.log(JSON.stringify({ digest: hash.digest('hex'), lines }));
} catch (error) {
  const { name, kind, message, remedy } = error;
  console.log(JSON.stringify({ error: { name, kind, message, remedy }, lines }));
}
