#include "parameters.h"

#include <algorithm>

namespace densenet {

size_t Parameters::add(size_t count, bool trainable) {
  const size_t offset = size_;
  size_ += count;
  if (trainable) {
    if (!trainable_.empty() && trainable_.back().end == offset)
      trainable_.back().end = size_;
    else
      trainable_.push_back({offset, size_});
  }
  return offset;
}

void Parameters::allocate() {
  for (Buffer* buffer : {&values_, &gradient_, &momentum_}) buffer->reserve(size_);
}

void Parameters::putZeros(size_t begin, size_t end) {
  if (!adds_) std::fill(gradient_.data() + begin, gradient_.data() + end, 0.0f);
}

void Parameters::update(const Optimizer& optimizer, int part, int parts) {
  const size_t first = size_ * part / parts, last = size_ * (part + 1) / parts;
  const float rate = optimizer.learningRate, mu = optimizer.momentum, decay = optimizer.weightDecay;
  for (const Range& range : trainable_) {
    const size_t begin = std::max(range.begin, first), end = std::min(range.end, last);
    float* __restrict w = values_.data();
    float* __restrict v = momentum_.data();
    const float* __restrict g = gradient_.data();
    for (size_t i = begin; i < end; ++i) {
      const float step = g[i] + decay * w[i];
      v[i] = mu * v[i] + step;
      w[i] -= rate * (optimizer.nesterov ? step + mu * v[i] : v[i]);
    }
  }
}

}  // namespace densenet
