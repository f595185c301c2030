// Residual networks of many shapes, and the kernel that only they use.
#include <vector>

#include "check.h"
#include "kernels/products.h"
#include "training.h"

using namespace densenet;

namespace {

struct Shape {
  int channels, height, width, batch, units, stages, innerChannels, expansion;
  bool bottleneck, preActivation, projection;
  double dropout = 0, survival = 1;
  /** Micro-batches of a step. */
  int parts = 1, stride = 2;
};

NetworkDescription describe(const Shape& shape) {
  NetworkDescription network{shape.channels, shape.height, shape.width, 5, {}};
  StageDescription first{};
  first.kind = StageDescription::kConvolution;
  first.outputChannels = shape.innerChannels;
  first.kernel = 3;
  first.stride = first.padding = 1;
  first.normalized = !shape.preActivation;
  network.stages.push_back(first);
  for (int i = 0; i < shape.stages; ++i) {
    StageDescription stage{};
    stage.kind = StageDescription::kResidualStage;
    stage.layers = shape.units;
    stage.innerChannels = shape.innerChannels << i;
    stage.outputChannels = shape.expansion * stage.innerChannels;
    stage.stride = i == 0 ? 1 : shape.stride;
    stage.bottleneck = shape.bottleneck;
    stage.preActivation = shape.preActivation;
    stage.projection = shape.projection;
    stage.dropout = shape.dropout;
    stage.survival.assign(static_cast<size_t>(shape.units), shape.survival);
    network.stages.push_back(stage);
  }
  StageDescription classifier{};
  classifier.kind = StageDescription::kClassifier;
  classifier.normalized = shape.preActivation;
  network.stages.push_back(classifier);
  return network;
}

void testTaps() {
  constexpr int kDepth = 3, kPlane = 4 * kTile;
  const int shifts[] = {0, 5, 2 * kTile, 2 * kTile + 1, kTile - 1};
  std::vector<float> weights(kDepth * 5 * kRows), planes(kDepth * kPlane);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i * 37 % 199) / 64 - 1;
  for (size_t i = 0; i < planes.size(); ++i) planes[i] = static_cast<float>(i * 53 % 197) / 64 - 1;
  int offsets[kVectors];
  for (int v = 0; v < kVectors; ++v) offsets[v] = 3 + v * kLanes;
  Block<kRows> block;
  clear(block);
  convolveTaps(block, kDepth, weights.data(), planes.data(), kPlane, shifts, 5, offsets);
  for (int m = 0; m < kRows; ++m)
    for (int i = 0; i < kTile; ++i) {
      double sum = 0;
      for (int c = 0; c < kDepth; ++c)
        for (int tap = 0; tap < 5; ++tap)
          sum += static_cast<double>(weights[(c * 5 + tap) * kRows + m]) * planes[c * kPlane + 3 + i + shifts[tap]];
      CHECK(close(block.v[m][i / kLanes][i % kLanes], sum));
    }
}

}  // namespace

void testResidual() {
  testTaps();
  const Shape shapes[] = {
      {3, 8, 8, 3, 2, 2, 4, 1, false, true, false},
      {3, 9, 7, 4, 2, 3, 3, 1, false, true, true, 0.3},
      {1, 8, 11, 3, 1, 2, 2, 4, true, true, true},
      {3, 7, 7, 3, 2, 2, 3, 2, true, true, false, 0, 0.5},
      {3, 16, 16, 2, 2, 2, 5, 1, false, false, false, 0, 0.5},
      {2, 13, 9, 3, 1, 3, 4, 4, true, false, true},
      {3, 8, 8, 4, 2, 2, 4, 4, true, false, true, 0.2, 0.5, 3},
      {1, 11, 10, 2, 1, 2, 13, 1, false, false, true, 0, 1, 1, 3},
      {1, 1, 1, 9, 1, 2, 3, 1, false, true, false},
      // Winograd's kernel.
      {3, 8, 8, 3, 2, 2, 9, 1, false, true, false},
      {3, 7, 7, 3, 1, 1, 8, 2, true, false, true},
  };
  for (const Shape& shape : shapes) {
    testSameBits(describe(shape), shape.batch, shape.parts);
    testBfloat16Gradient(describe(shape), shape.batch, shape.parts);
  }
  for (int i : {0, 1, 2, 4, 6, 7, 9, 10}) testGradient(describe(shapes[i]), shapes[i].batch, shapes[i].parts);
}
