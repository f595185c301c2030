// A network on the CPU: one training step or prediction over a batch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "network_plan.h"

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

/** The random draws of one micro-batch. */
struct MicroBatch {
  /** Names its dropout masks. */
  Key dropout;
  /** For each residual unit whether its branch is there; empty for all. */
  std::vector<uint8_t> survivors;
};

class Network {
 public:
  explicit Network(NetworkPlan plan);

  /**
   * One step of gradient descent on `count` images [N, C, H, W], one micro-batch after another. Their sizes differ by
   * one at most.
   */
  StepResult train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                   const Optimizer& optimizer, const std::vector<MicroBatch>& batches);
  /**
   * One micro-batch of a step of `stepImages` images, without the update. Its gradient and its moves of the running
   * statistics are then those of `parameters()`.
   */
  StepResult gradient(ThreadPool& pool, const float* images, const int32_t* labels, int count, int stepImages,
                      const MicroBatch& batch);
  /**
   * Ends a step whose micro-batches were computed by `gradient`, here or elsewhere: the update with the sum of their
   * gradients, and their moves, [batches, statisticsSize], in order. To the bit what `train` does.
   */
  void apply(ThreadPool& pool, const Optimizer& optimizer, const float* gradient, const double* moves,
             const std::vector<MicroBatch>& batches);
  /** Logits [N, classes] with running statistics. */
  void predict(ThreadPool& pool, const float* images, int count, float* logits);

  Parameters& parameters() { return *plan_.parameters; }
  /** Tells that parameters were written from outside. */
  void parametersChanged() { predictionPrepared_ = false; }
  const NetworkDescription& description() const { return plan_.description; }

  /** Time of every stage and pass since the last call. */
  std::vector<ProfileEntry> takeProfile();

 private:
  /** Buffers of one set of activations. */
  struct Memory {
    Activations activations;
    std::vector<Buffer> data;
    Buffer slots[kSlots], gradients[kSlots];
    /** Of the thread that predicts with it, where threads do not share an image. */
    SerialExecutor executor;
    int images = 0;
  };

  void resize(Memory& memory, int images, bool training) const;
  void dropBranches(const std::vector<uint8_t>& survivors);
  void forwardAndBackward(ThreadPool& pool, int count, const MicroBatch& batch);
  void moveRunning(const double* moves, const std::vector<uint8_t>& survivors);
  void update(ThreadPool& pool, const Optimizer& optimizer);
  void record(size_t layer, int pass, double seconds, double images);

  NetworkPlan plan_;
  Memory training_;
  std::vector<std::unique_ptr<Memory>> predicting_;
  /** Which layers have laid their weights out for the step under way. */
  std::vector<bool> prepared_;
  /** Whether all have for prediction. */
  bool predictionPrepared_ = false;
  std::vector<ProfileEntry> profile_;
};

}  // namespace densenet
