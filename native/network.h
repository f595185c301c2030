// A network on the CPU: its parameters, its layers, and one training step or prediction over a batch.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "description.h"
#include "kernels/operands.h"
#include "layers/dropout.h"
#include "layers/layer.h"
#include "norm.h"

namespace densenet {

struct ProfileEntry {
  std::string stage, pass;
  double seconds = 0;
  /** Floating-point operations, two per multiply-add; 0 where a pass has no products. */
  double operations = 0;
};

struct StepResult {
  double loss;
  int correct;
};

/** What convolutions multiply. Sums, and all that is stored, are single precision. */
enum class Precision { kFloat32, kBfloat16 };

struct NetworkOptions {
  /** Compute the bottlenecks' outputs again for the backward pass instead of keeping them. */
  bool memoryEfficient = false;
  Precision precision = Precision::kFloat32;
};

/** The random draws of one micro-batch. */
struct MicroBatch {
  /** Names its dropout masks. */
  Key dropout;
  /** For each residual unit whether its branch is there; empty for all. */
  std::vector<uint8_t> survivors;
};

class Network {
 public:
  Network(const NetworkDescription& description, NetworkOptions options);

  /**
   * One step of gradient descent on `count` images [N, C, H, W], one micro-batch after another. Their sizes differ by
   * one at most.
   */
  StepResult train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                   const Optimizer& optimizer, const std::vector<MicroBatch>& batches);
  /** Logits [N, classes] with running statistics. */
  void predict(ThreadPool& pool, const float* images, int count, float* logits);

  Parameters& parameters() { return parameters_; }
  /** Tells that parameters were written from outside. */
  void parametersChanged() { prepared_ = false; }
  const NetworkDescription& description() const { return description_; }

  /** Time of every stage and pass since the last call. */
  std::vector<ProfileEntry> takeProfile();

 private:
  /** Whether training keeps a map from its forward to its backward pass. */
  enum class Keep { kAlways, kUnlessEfficient, kNever };
  /** Memory that maps of the same role use one after the other. `kOwn`: shared with no other. */
  enum Slot { kOwn = -1, kTrunk = 0, kInner = 2, kProjected = 4, kSampled, kActivated, kDropped, kSlots };
  struct Place {
    /** Where the data lie when training does not keep them, and in prediction. */
    int data;
    int gradient;
    Keep keep = Keep::kAlways;
  };
  struct MapUse {
    FeatureMap shape;
    Place place;
    Use use;
    bool in(bool training) const { return use == Use::kAlways || (use == Use::kTraining) == training; }
  };
  struct Step {
    std::string stage;
    std::unique_ptr<Layer> layer;
    Use use;
    /** Layer whose output this one reads, to be computed again before this one's backward pass. */
    Layer* again;
    /** The residual unit of whose branch it is part, or −1. */
    int unit;
    /** Its weights are laid out for the step under way. */
    bool prepared;
    bool in(bool training) const { return use == Use::kAlways || (use == Use::kTraining) == training; }
  };
  /** A residual unit whose branch may be dropped. */
  struct Unit {
    int input, output;
    /** Without its branch its output is its input. */
    bool identity;
    /** The parameters of its branch. */
    size_t begin, end;
  };
  /** Buffers of one set of activations. */
  struct Memory {
    Activations activations;
    std::vector<Buffer> data;
    Buffer slots[kSlots], gradients[kSlots];
    /** Of the thread that predicts with it. */
    SerialExecutor executor;
    int images = 0;
  };

  void build();
  int addMap(int channels, int height, int width, Place place, Use use = Use::kAlways);
  /** A map between two stages; neighbours do not share gradients. */
  int addMap(int channels, int height, int width, Use use = Use::kAlways);
  void addLayer(const std::string& stage, std::unique_ptr<Layer> layer, Use use = Use::kAlways,
                Layer* again = nullptr, int unit = -1);
  struct Cursor;
  class UnitBuilder;
  /** A layer whose products are of the network's precision. */
  template <template <class Operand> class L, class... Arguments>
  std::unique_ptr<Layer> makeLayer(Arguments&&... arguments) const {
    if (options_.precision == Precision::kBfloat16)
      return std::make_unique<L<BfloatPairs>>(std::forward<Arguments>(arguments)...);
    return std::make_unique<L<Single>>(std::forward<Arguments>(arguments)...);
  }
  /** A 3×3 convolution by the kernel that suits its shape: never threads or batch decide, so results stay the same. */
  std::unique_ptr<Layer> makeConvolution3(std::shared_ptr<Norm> norm, size_t weights, Channels input, Channels output,
                                          Dropout dropout, bool firstReader, int height, int width);
  void addConvolution(size_t index, Cursor& at);
  void addBlock(const StageDescription& stage, Cursor& at);
  void addTransition(size_t index, Cursor& at);
  void addResidualStage(const StageDescription& stage, Cursor& at);
  int channelsFrom(size_t index, int channels) const;
  void resize(Memory& memory, int images, bool training) const;
  int slotOf(const MapUse& use, bool training) const;
  void dropBranches(const std::vector<uint8_t>& survivors);
  void forwardAndBackward(ThreadPool& pool, int count, const MicroBatch& batch);
  void record(size_t step, int pass, double seconds, double images);

  NetworkDescription description_;
  NetworkOptions options_;
  Parameters parameters_;
  std::vector<MapUse> maps_;
  std::vector<Step> steps_;
  std::vector<Unit> units_;
  /** Which of the two gradients of maps between stages the last one has. */
  int trunk_ = 0;
  Memory training_;
  std::vector<std::unique_ptr<Memory>> predicting_;
  bool prepared_ = false;
  std::vector<ProfileEntry> profile_;
};

}  // namespace densenet
