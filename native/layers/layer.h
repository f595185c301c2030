// One step of a network, forward and backward, over a whole batch.
#pragma once

#include <memory>
#include <vector>

#include "../executor.h"
#include "../feature_map.h"
#include "../parameters.h"
#include "../random.h"

namespace densenet {

/** The feature maps of a batch, and what enters and leaves the network. */
struct Activations {
  std::vector<FeatureMap> maps;
  /** Where each map is among `maps`: elsewhere where a residual unit hands its input on. */
  std::vector<int> places;
  /** For each residual unit whether its branch is there in this step; empty for all. */
  std::vector<uint8_t> survivors;
  const float* images = nullptr;    // [N, C, H, W]
  Buffer imagePlanes;               // the same as the first convolution reads them
  const int32_t* labels = nullptr;  // [N], only in training
  std::vector<float> logits;        // [N, classes]
  int stepImages = 0;               // of the whole optimiser step, only in training
  double loss = 0;                  // cross-entropy, summed over the images and divided by stepImages
  int correct = 0;
  /** Of the layer that runs in training: weights laid out, and partial gradients of them, one piece a task. */
  Buffer weights, partials;

  /** Whether the branch of a residual unit is there; −1 for what is no part of one. */
  bool survives(int unit) const { return unit < 0 || survivors.empty() || survivors[static_cast<size_t>(unit)] != 0; }
};

struct Pass {
  Executor& executor;
  Activations& activations;
  /** Batch statistics and dropout, or running statistics and none. */
  bool training;
  /** Names the dropout masks of this micro-batch. */
  Key dropout;
  /** The outputs are computed a second time: their statistics are known. */
  bool again = false;

  FeatureMap& map(int index) const {
    return activations.maps[static_cast<size_t>(activations.places[static_cast<size_t>(index)])];
  }
};

class Layer {
 public:
  virtual ~Layer() = default;
  /** Lays out the weights that the layer keeps so; for evaluation also reads the running statistics. */
  virtual void prepare(Executor& executor, bool training) = 0;
  virtual void forward(const Pass& pass) = 0;
  /** Puts the gradients of the layer's parameters, and adds to those of its input. */
  virtual void backward(const Pass& pass) = 0;
  /** Multiply-adds of one image, forward. */
  virtual double multiplyAdds() const { return 0; }
  virtual const char* name() const = 0;
};

/** Channels of a feature map. */
struct Channels {
  int map, first, count;
};

}  // namespace densenet
