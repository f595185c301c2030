// The products of a Winograd convolution: one matrix product over channels for each frequency.
#pragma once

#include <algorithm>
#include <vector>

#include "../executor.h"
#include "../kernels/winograd.h"

namespace densenet {

/**
 * Transformed weights of a product [rows × depth], in blocks that stay in the cache with their operands:
 * [depth block][row block][frequency][group of rows][channel][row of the group].
 */
class FrequencyWeights {
 public:
  FrequencyWeights(int frequencies, int rows, int depth);

  const Runs& rowBlocks() const { return rows_; }
  const Runs& depthBlocks() const { return depth_; }
  /** The most rows and the most depth of a block. */
  int mostRows() const { return mostOf(rows_); }
  int mostDepth() const { return mostOf(depth_); }

  size_t floats() const {
    return static_cast<size_t>(frequencies_) * rows_.start(rows_.count()) * depth_.start(depth_.count());
  }

  /** Transforms the filters whose taps are weight(row, channel, tap), for tiles of N columns, to `values`. */
  template <int N, class F>
  void fill(Executor& executor, float* values, F&& weight) const;

  /** sums[row] (+)= Σ_c weights[row][c] · panels[c] of one frequency, for `blocks` blocks of tiles. */
  void multiply(const float* values, int rowBlock, int depthBlock, int frequency, const float* panels, float* sums,
                ptrdiff_t channelStride, int blocks) const;

 private:
  static int mostOf(const Runs& runs);
  size_t blockOffset(int rowBlock, int depthBlock) const {
    const size_t first = depth_.start(depthBlock), depth = depth_.size(depthBlock), rows = rows_.start(rows_.count());
    return frequencies_ * (first * rows + depth * rows_.start(rowBlock));
  }

  int frequencies_;
  Runs rows_, depth_;
  /** Of each block of rows, the rows that share a register block; of each block of depth, the terms of one sum. */
  std::vector<Runs> groups_, terms_;
};

template <int N, class F>
void FrequencyWeights::fill(Executor& executor, float* values, F&& weight) const {
  constexpr int kRun = 64;  // filters at a time: few lines of each frequency
  executor.forEach(rows_.count() * depth_.count(), [&](int task, Scratch&) {
    const int r = task % rows_.count(), d = task / rows_.count(), rows = rows_.size(r), depth = depth_.size(d);
    const Runs& groups = groups_[r];
    for (int g = 0; g < groups.count(); ++g) {
      const int size = groups.size(g), filters = size * depth;
      float* to = values + blockOffset(r, d) + static_cast<ptrdiff_t>(groups.start(g)) * depth;
      for (int start = 0; start < filters; start += kRun) {
        const int count = std::min(kRun, filters - start);
        float transformed[kFrequencies<N> * kRun];
        for (int i = 0; i < count; i += kLanes) {
          DoubleVec taps[9];
          for (int lane = 0; lane < kLanes; ++lane) {
            const int filter = std::min(start + i + lane, filters - 1);
            const int row = rows_.start(r) + groups.start(g) + filter % size, channel = depth_.start(d) + filter / size;
            for (int tap = 0; tap < 9; ++tap) taps[tap][lane] = weight(row, channel, tap);
          }
          transformWeights<N>(taps, transformed + i, kRun);
        }
        for (int f = 0; f < kFrequencies<N>; ++f)
          std::copy_n(transformed + f * kRun, count, to + static_cast<ptrdiff_t>(f) * rows * depth + start);
      }
    }
  });
}

}  // namespace densenet
