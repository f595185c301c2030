// All tensors of a network in one array, in the order of parameters(network) in src/networks/parameters.ts.
#pragma once

#include <cstddef>
#include <vector>

#include "buffer.h"
#include "description.h"

namespace densenet {

class Parameters {
 public:
  /** Reserves `count` floats in order; `trainable` ones get momentum and weight decay. Returns the offset. */
  size_t add(size_t count, bool trainable);
  /** Call once after the last add. */
  void allocate();

  size_t size() const { return size_; }
  float* values(size_t offset) const { return values_.data() + offset; }
  float* gradient(size_t offset) const { return gradient_.data() + offset; }
  float* momentum(size_t offset) const { return momentum_.data() + offset; }

  /** v ← μv + g + λw; w ← w − η·(g + λw + μv with Nesterov, v without), on part `part` of `parts`. */
  void update(const Optimizer& optimizer, int part, int parts);

 private:
  struct Range {
    size_t begin, end;
  };
  size_t size_ = 0;
  std::vector<Range> trainable_;
  Buffer values_, gradient_, momentum_;
};

}  // namespace densenet
