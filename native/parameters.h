// All tensors of a network in one array, in the order of parameters(network) in src/networks/parameters.ts.
#pragma once

#include <cstddef>
#include <vector>

#include "buffer.h"
#include "description.h"

namespace densenet {

constexpr double kRunningMomentum = 0.1;  // BN_MOMENTUM of src/networks/network.ts

/** Where a layer leaves the gradient of one parameter: over the micro-batches of a step they add up. */
class Gradient {
 public:
  Gradient(float* values, bool adds) : values_(values), adds_(adds) {}
  void put(size_t index, float value) const { values_[index] = adds_ ? values_[index] + value : value; }

 private:
  float* values_;
  bool adds_;
};

class Parameters {
 public:
  /**
   * Reserves `count` floats in order; `trainable` ones get momentum and weight decay, others are running statistics.
   * Returns the offset.
   */
  size_t add(size_t count, bool trainable);
  /** Call once after the last add. */
  void allocate();

  size_t size() const { return size_; }
  float* values(size_t offset) const { return values_.data() + offset; }
  Gradient gradient(size_t offset) const { return {gradient_.data() + offset, adds_}; }
  /** Puts 0 for all parameters in [begin, end), offsets that `add` gave. */
  void putZeros(size_t begin, size_t end) const;
  /** All gradients of the last step, [size]. */
  const float* gradients() const { return gradient_.data(); }
  /** Whether gradients are added to those that are there, or replace them. */
  void addGradients(bool adds) { adds_ = adds; }
  float* momentum(size_t offset) const { return momentum_.data() + offset; }

  /** v ← μv + g + λw; w ← w − η·(g + λw + μv with Nesterov, v without), on part `part` of `parts`. */
  void update(const Optimizer& optimizer, int part, int parts);

  /** Number of trainable parameters, and of running statistics. */
  size_t trainableSize() const { return sizeOf(trainable_); }
  size_t statisticsSize() const { return moves_.size(); }
  /** The gradients of the trainable parameters alone, one after another. */
  void readGradient(float* flat) const;
  void writeGradient(const float* flat);
  /** Where a micro-batch leaves what running statistics are moved by, from the one at `offset` on. */
  double* moves(size_t offset);
  /** Of all running statistics, [statisticsSize]. */
  const double* moves() const { return moves_.data(); }
  /** r ← (1 − kRunningMomentum)·r + move, for the running statistics among the parameters [begin, end). */
  void moveRunning(const double* moves, size_t begin, size_t end);

 private:
  struct Range {
    size_t begin, end;
  };
  static size_t sizeOf(const std::vector<Range>& ranges);

  size_t size_ = 0;
  bool adds_ = false;
  std::vector<Range> trainable_, statistics_;
  std::vector<double> moves_;
  Buffer values_, gradient_, momentum_;
};

}  // namespace densenet
