import { type Tape, type Value, value } from './tape.js';

/** Fully connected layer. x: [N, I]; weight: [O, I]; bias: [O]; result: [N, O]. */
export function linear(tape: Tape, x: Value, weight: Value, bias: Value): Value {
  const [n, inputs] = x.shape as [number, number];
  const outputs = bias.data.length;
  const y = value([n, outputs]);
  for (let image = 0; image < n; image++)
    for (let o = 0; o < outputs; o++) {
      let sum = bias.data[o]!;
      for (let i = 0; i < inputs; i++) sum += x.data[image * inputs + i]! * weight.data[o * inputs + i]!;
      y.data[image * outputs + o] = sum;
    }
  tape.record(() => {
    for (let image = 0; image < n; image++)
      for (let o = 0; o < outputs; o++) {
        const gradient = y.gradient[image * outputs + o]!;
        bias.gradient[o]! += gradient;
        for (let i = 0; i < inputs; i++) {
          x.gradient[image * inputs + i]! += gradient * weight.data[o * inputs + i]!;
          weight.gradient[o * inputs + i]! += gradient * x.data[image * inputs + i]!;
        }
      }
  });
  return y;
}

/** Mean over the batch of −log softmax(logits)[label]. logits: [N, classes]; result: a scalar. */
export function crossEntropy(tape: Tape, logits: Value, labels: Int32Array): Value {
  const [n, classes] = logits.shape as [number, number];
  const loss = value([1]);
  const probabilities = new Float64Array(logits.data.length);
  for (let image = 0; image < n; image++) {
    const row = logits.data.subarray(image * classes, (image + 1) * classes);
    const largest = Math.max(...row);
    const total = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    row.forEach((logit, k) => {
      probabilities[image * classes + k] = Math.exp(logit - largest) / total;
    });
    loss.data[0]! += (largest + Math.log(total) - row[labels[image]!]!) / n;
  }
  tape.record(() => {
    for (let image = 0; image < n; image++)
      for (let k = 0; k < classes; k++) {
        const target = labels[image] === k ? 1 : 0;
        const difference = probabilities[image * classes + k]! - target;
        logits.gradient[image * classes + k]! += (loss.gradient[0]! * difference) / n;
      }
  });
  return loss;
}

/** How many rows of logits [N, classes] have their largest value at the label. */
export function countCorrect(logits: Float64Array | Float32Array, labels: Int32Array): number {
  const classes = logits.length / labels.length;
  return labels.filter((label, image) => {
    const row = logits.subarray(image * classes, (image + 1) * classes);
    return row.indexOf(Math.max(...row)) === label;
  }).length;
}
