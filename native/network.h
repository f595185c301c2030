// A network on the CPU: its parameters, its layers, and one training step or prediction over a batch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "description.h"
#include "layers/layer.h"

namespace densenet {

struct ProfileEntry {
  std::string stage, pass;
  double seconds = 0;
  /** Floating-point operations, two a multiply-add; 0 where a pass has no products. */
  double operations = 0;
};

struct StepResult {
  double loss;
  int correct;
};

class Network {
 public:
  Network(const NetworkDescription& description, bool memoryEfficient);

  /**
   * One step of gradient descent on `count` images [N, C, H, W], one micro-batch after another: as many as `dropout`
   * has keys, which name their masks. Their sizes differ by one at most.
   */
  StepResult train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                   const Optimizer& optimizer, const std::vector<Key>& dropout);
  /** Logits [N, classes] with running statistics. */
  void predict(ThreadPool& pool, const float* images, int count, float* logits);

  Parameters& parameters() { return parameters_; }
  /** Tells that parameters were written from outside. */
  void parametersChanged() { prepared_ = false; }
  const NetworkDescription& description() const { return description_; }

  /** Time of every stage and pass since the last call. */
  std::vector<ProfileEntry> takeProfile();

 private:
  struct MapUse {
    FeatureMap shape;
    /** Output of a bottleneck's 1×1: lives from its layer to the next in prediction and in memory-efficient training. */
    bool bottleneck;
    Use use;
    bool in(bool training) const { return use == Use::kAlways || (use == Use::kTraining) == training; }
  };
  struct Step {
    std::string stage;
    std::unique_ptr<Layer> layer;
    Use use;
    /** Bottleneck layer whose output this one reads, to be computed again before this one's backward pass. */
    Layer* again;
    bool in(bool training) const { return use == Use::kAlways || (use == Use::kTraining) == training; }
  };
  /** Buffers of one set of activations. */
  struct Memory {
    Activations activations;
    std::vector<Buffer> data;
    Buffer shared, sharedGradient, gradients[2];
    int images = 0;
  };

  void build();
  int addMap(int channels, int height, int width, Use use = Use::kAlways, bool bottleneck = false);
  void addLayer(const std::string& stage, std::unique_ptr<Layer> layer, Use use = Use::kAlways,
                Layer* again = nullptr);
  struct Cursor;
  void addConvolution(size_t index, Cursor& at);
  void addBlock(const StageDescription& stage, Cursor& at);
  void addTransition(size_t index, Cursor& at);
  int channelsFrom(size_t index, int channels) const;
  void resize(Memory& memory, int images, bool training) const;
  void forwardAndBackward(ThreadPool& pool, int count, Key dropout, bool prepare);
  void record(size_t step, int pass, double seconds, double images);

  NetworkDescription description_;
  bool memoryEfficient_;
  Parameters parameters_;
  std::vector<MapUse> maps_;
  std::vector<Step> steps_;
  Memory training_;
  std::vector<std::unique_ptr<Memory>> predicting_;
  bool prepared_ = false;
  std::vector<ProfileEntry> profile_;
};

}  // namespace densenet
