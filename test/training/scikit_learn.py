"""Writes fixtures/scikit-learn.json: what scikit-learn says of labels, predictions and confidences.

usage: python3 scikit_learn.py        (needs scikit-learn; the file names the version)
"""
import json
import pathlib

import numpy
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

BINS = 15
random = numpy.random.default_rng(1)
logits = numpy.round(random.normal(0, 1.5, (400, 6)), 3)
labels = random.integers(0, 5, 400)  # No image is of class 5.
logits[numpy.arange(400), labels] += 1
logits[:, 4] -= 100  # None is taken for class 4.
softmax = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
predicted, confidence = softmax.argmax(1), softmax.max(1)
precision, recall, f1, count = precision_recall_fscore_support(labels, predicted, labels=range(6), zero_division=numpy.nan)
right = predicted == labels
accuracy, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
sizes = numpy.histogram(confidence, bins=BINS, range=(0, 1))[0]
sizes = sizes[sizes > 0]
number = lambda values: [None if numpy.isnan(value) else float(value) for value in values]
document = {
    "scikit-learn": sklearn.__version__,
    "logits": logits.tolist(),
    "labels": labels.tolist(),
    "confusion": confusion_matrix(labels, predicted, labels=range(6)).tolist(),
    "precision": number(precision),
    "recall": number(recall),
    "f1": number(f1),
    "bins": [{"count": int(n), "confidence": c, "accuracy": a} for n, c, a in zip(sizes, number(mean), number(accuracy))],
    "calibrationError": float((sizes * abs(accuracy - mean)).sum() / 400),
}
path = pathlib.Path(__file__).with_name("fixtures") / "scikit-learn.json"
path.write_text(json.dumps(document) + "\n")
