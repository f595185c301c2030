// Dense networks of many shapes.
#include "check.h"
#include "training.h"

using namespace densenet;

namespace {

struct Shape {
  int channels, height, width, batch, growthRate, layers, blocks;
  bool bottleneck, imageNetStem;
  double dropout;
  /** Micro-batches of a step. */
  int parts = 1;
};

NetworkDescription describe(const Shape& shape) {
  NetworkDescription network{shape.channels, shape.height, shape.width, 5, {}};
  StageDescription first{};
  first.kind = StageDescription::kConvolution;
  first.outputChannels = 2 * shape.growthRate;
  first.kernel = shape.imageNetStem ? 7 : 3;
  first.stride = shape.imageNetStem ? 2 : 1;
  first.padding = shape.imageNetStem ? 3 : 1;
  first.normalized = shape.imageNetStem;
  network.stages.push_back(first);
  if (shape.imageNetStem) {
    StageDescription pooling{};
    pooling.kind = StageDescription::kMaxPooling;
    pooling.kernel = 3;
    pooling.stride = 2;
    pooling.padding = 1;
    network.stages.push_back(pooling);
  }
  int channels = first.outputChannels;
  for (int b = 0; b < shape.blocks; ++b) {
    if (b > 0) {
      StageDescription transition{};
      transition.kind = StageDescription::kTransition;
      transition.outputChannels = channels = channels / 2;
      transition.dropout = shape.dropout;
      network.stages.push_back(transition);
    }
    StageDescription block{};
    block.kind = StageDescription::kDenseBlock;
    block.layers = shape.layers;
    block.growthRate = shape.growthRate;
    block.bottleneck = shape.bottleneck;
    block.dropout = shape.dropout;
    network.stages.push_back(block);
    channels += shape.layers * shape.growthRate;
  }
  StageDescription classifier{};
  classifier.kind = StageDescription::kClassifier;
  classifier.normalized = true;
  network.stages.push_back(classifier);
  return network;
}

}  // namespace

void testNetworks() {
  const Shape shapes[] = {
      {3, 8, 8, 3, 4, 2, 2, true, false, 0},    {3, 32, 32, 2, 12, 2, 2, true, false, 0},
      {1, 7, 5, 5, 1, 1, 2, true, false, 0.3},  {3, 9, 11, 2, 5, 3, 2, false, false, 0.2},
      {1, 16, 16, 1, 12, 2, 1, false, false, 0}, {3, 37, 41, 2, 6, 2, 2, true, true, 0},
      {2, 4, 4, 1, 3, 1, 1, true, false, 0},    {3, 8, 8, 7, 4, 2, 2, true, false, 0.2, 3},
      // Winograd's kernel: strips of an image and of several, cut tiles, blocks of depth and of rows.
      {3, 9, 11, 3, 9, 2, 2, false, false, 0.2}, {2, 7, 7, 5, 8, 2, 1, true, false, 0.2},
      {1, 37, 41, 2, 8, 1, 1, false, false, 0},  {1, 8, 8, 6, 40, 1, 1, true, false, 0, 2},
  };
  for (const Shape& shape : shapes) {
    testSameBits(describe(shape), shape.batch, shape.parts);
    testBfloat16Gradient(describe(shape), shape.batch, shape.parts);
  }
  testSameBits(describe(shapes[1]), shapes[1].batch, shapes[1].parts, 64);
  for (int i : {0, 3, 7, 8, 9, 10, 11}) testGradient(describe(shapes[i]), shapes[i].batch, shapes[i].parts);
}
