// A network as plain data, as src/networks/network.ts describes it.
#pragma once

#include <cstddef>
#include <vector>

namespace densenet {

struct StageDescription {
  enum Kind { kConvolution, kMaxPooling, kDenseBlock, kTransition, kClassifier, kResidualStage };
  Kind kind;
  int outputChannels = 0;  // convolution, transition, residual stage
  int kernel = 0, stride = 0, padding = 0;  // convolution, max pooling; stride also of a residual stage
  bool normalized = false;  // convolution, classifier
  int layers = 0, growthRate = 0;  // dense block
  bool bottleneck = false;  // dense block, residual stage
  double dropout = 0;  // dense block, transition, residual stage
  // Residual stage. One survival probability per unit.
  int innerChannels = 0;
  bool preActivation = false, projection = false;
  std::vector<double> survival;
};

struct NetworkDescription {
  int channels, height, width, classes;
  std::vector<StageDescription> stages;
};

/** Numbers that describe one stage in the flat form, see flatStage in src/engines/native/description.ts. */
constexpr int kStageFields = 12;

/**
 * Reads the flat form: [channels, height, width, classes], then kStageFields numbers per stage, and after those of a
 * residual stage the survival probabilities of its units.
 */
NetworkDescription parseDescription(const double* numbers, size_t count);

struct Optimizer {
  float learningRate, momentum, weightDecay;
  bool nesterov;
};

}  // namespace densenet
