#include "frequency_weights.h"

namespace densenet {

namespace {

/** The most channels of a block of the products, and the most rows where there is one such block or more. */
constexpr int kMostDepth = 64, kMostRows = 2 * kRows, kMostSummedRows = 96;
/** The most terms of one sum; the sums are then added up, which rounds less than adding term after term. */
constexpr int kMostTerms = 16;

/** With several blocks of depth all rows of a block keep their sums meanwhile, so it pays that they are many. */
Split rowSplit(int rows, int depth) { return Split::into(rows, depth > kMostDepth ? kMostSummedRows : kMostRows); }

}  // namespace

FrequencyWeights::FrequencyWeights(int frequencies, int rows, int depth)
    : frequencies_(frequencies), rows_(rowSplit(rows, depth)), depth_(Split::into(depth, kMostDepth)) {
  for (int r = 0; r < rows_.count(); ++r) groups_.emplace_back(Split::into(rows_.size(r), kRows));
  for (int d = 0; d < depth_.count(); ++d) terms_.emplace_back(Split::into(depth_.size(d), kMostTerms));
}

int FrequencyWeights::mostOf(const Runs& runs) {
  int most = 0;
  for (int i = 0; i < runs.count(); ++i) most = std::max(most, runs.size(i));
  return most;
}

void FrequencyWeights::multiply(const float* values, int rowBlock, int depthBlock, int frequency, const float* panels,
                                float* sums, ptrdiff_t channelStride, int blocks) const {
  const int depth = depth_.size(depthBlock), rows = rows_.size(rowBlock);
  const ptrdiff_t blockFloats = static_cast<ptrdiff_t>(frequencies_) * kTile;
  const Runs &groups = groups_[rowBlock], &terms = terms_[depthBlock];
  const float* weights = values + blockOffset(rowBlock, depthBlock);
  weights += static_cast<ptrdiff_t>(frequency) * rows * depth;
  panels += frequency * kTile;
  sums += frequency * kTile;
  for (int g = 0; g < groups.count(); ++g) {
    withRows(groups.size(g), [&](auto m) {
      float* to = sums + groups.start(g) * channelStride;
      for (int b = 0; b < blocks; ++b, to += blockFloats)
        for (int t = 0; t < terms.count(); ++t) {
          const int first = terms.start(t);
          const float* panel = panels + b * blockFloats + first * channelStride;
          Block<m> block;
          clear(block);
          multiplyPanel(block, terms.size(t), weights + first * m, panel, channelStride);
          if (depthBlock > 0 || t > 0) add(block, to, channelStride);
          write(block, to, channelStride);
        }
    });
    weights += groups.size(g) * depth;
  }
}

}  // namespace densenet
