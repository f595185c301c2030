// A network as plain data, as src/networks/network.ts describes it.
#pragma once

#include <cstddef>
#include <vector>

namespace densenet {

struct StageDescription {
  enum Kind { kConvolution, kMaxPooling, kDenseBlock, kTransition, kClassifier };
  Kind kind;
  int outputChannels = 0;  // convolution, transition
  int kernel = 0, stride = 0, padding = 0;  // convolution, max pooling
  bool normalized = false;  // convolution
  int layers = 0, growthRate = 0;  // dense block
  bool bottleneck = false;  // dense block
  double dropout = 0;  // dense block, transition
};

struct NetworkDescription {
  int channels, height, width, classes;
  std::vector<StageDescription> stages;
};

/** Numbers that describe one stage in the flat form: kind and the fields above in their order. */
constexpr int kStageFields = 9;

/** Reads the flat form: [channels, height, width, classes], then kStageFields numbers a stage. */
NetworkDescription parseDescription(const double* numbers, size_t count);

struct Optimizer {
  float learningRate, momentum, weightDecay;
  bool nesterov;
};

}  // namespace densenet
