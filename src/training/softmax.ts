/** What makes exponentials of logits safe from overflow, and their sum, in double precision. */
function exponentials(logits: Float32Array): { largest: number; sum: number } {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return { largest, sum };
}

/** The probability of each class, 0 to 1. */
export function softmax(logits: Float32Array): number[] {
  const { largest, sum } = exponentials(logits);
  return Array.from(logits, (logit) => Math.exp(logit - largest) / sum);
}

/** −log softmax(logits)[label] */
export function crossEntropy(logits: Float32Array, label: number): number {
  const { largest, sum } = exponentials(logits);
  return Math.log(sum) + largest - logits[label]!;
}
