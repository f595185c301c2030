#include "parameters.h"

#include <algorithm>
#include <stdexcept>

namespace densenet {

size_t Parameters::add(size_t count, bool trainable) {
  const size_t offset = size_;
  size_ += count;
  std::vector<Range>& ranges = trainable ? trainable_ : statistics_;
  if (!ranges.empty() && ranges.back().end == offset)
    ranges.back().end = size_;
  else
    ranges.push_back({offset, size_});
  return offset;
}

void Parameters::allocate() {
  for (Buffer* buffer : {&values_, &gradient_, &momentum_}) buffer->reserve(size_);
  moves_.resize(sizeOf(statistics_));
}

size_t Parameters::sizeOf(const std::vector<Range>& ranges) {
  size_t size = 0;
  for (const Range& range : ranges) size += range.end - range.begin;
  return size;
}

void Parameters::putZeros(size_t begin, size_t end) const {
  const Gradient zeros = gradient(0);
  for (size_t i = begin; i < end; ++i) zeros.put(i, 0.0f);
}

void Parameters::readGradient(float* flat) const {
  for (const Range& range : trainable_)
    flat = std::copy(gradient_.data() + range.begin, gradient_.data() + range.end, flat);
}

void Parameters::writeGradient(const float* flat) {
  for (const Range& range : trainable_) {
    const size_t count = range.end - range.begin;
    std::copy(flat, flat + count, gradient_.data() + range.begin);
    flat += count;
  }
}

double* Parameters::moves(size_t offset) {
  size_t before = 0;
  for (const Range& range : statistics_) {
    if (offset < range.end) return moves_.data() + before + (offset - range.begin);
    before += range.end - range.begin;
  }
  throw std::logic_error("not a running statistic");
}

void Parameters::moveRunning(const double* moves, size_t begin, size_t end) {
  for (const Range& range : statistics_) {
    const size_t count = range.end - range.begin;
    float* __restrict running = values_.data() + range.begin;
    const size_t first = std::max(begin, range.begin) - range.begin, last = std::min(end, range.end);
    for (size_t i = first; range.begin + i < last; ++i)
      running[i] = static_cast<float>((1 - kRunningMomentum) * running[i] + moves[i]);
    moves += count;
  }
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
