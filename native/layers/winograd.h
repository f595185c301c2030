// 3×3 convolution after batch normalisation and ReLU, stride 1, padding 1, by Winograd's algorithm, strip by strip.
#pragma once

#include <vector>

#include "convolution_spec.h"
#include "filters3.h"
#include "strips.h"

namespace densenet {

/** Transformed weights of a product [rows × depth], cut into blocks that stay in the cache with their operands. */
class FrequencyWeights {
 public:
  FrequencyWeights(int rows, int depth);

  const Split& rowBlocks() const { return rows_; }
  const Split& depthBlocks() const { return depth_; }
  /** The most rows and the most depth of a block. */
  int mostRows() const { return (rows_.total + rows_.count - 1) / rows_.count; }
  int mostDepth() const { return (depth_.total + depth_.count - 1) / depth_.count; }

  /** Sets the weights of rows [rowBlock] and depth [depthBlock] to weight(row, channel)[frequency(f)]. */
  template <class F>
  void fill(int rowBlock, int depthBlock, F&& weight);

  /** sums[row] (+)= Σ_c weights[row][c] · panels[c] of one frequency, for `blocks` blocks of tiles. */
  void multiply(int rowBlock, int depthBlock, int frequency, const float* panels, float* sums, ptrdiff_t channelStride,
                int blocks) const;

 private:
  size_t offset(int rowBlock, int depthBlock) const {
    return size_t{kFrequencies} * (static_cast<size_t>(depth_.start(depthBlock)) * rows_.total +
                                   static_cast<size_t>(depth_.size(depthBlock)) * rows_.start(rowBlock));
  }

  Split rows_, depth_;
  /** [depth block][row block][frequency][group of rows][channel][row of the group] */
  std::vector<float> values_;
};

template <class F>
void FrequencyWeights::fill(int rowBlock, int depthBlock, F&& weight) {
  const int rows = rows_.size(rowBlock), depth = depth_.size(depthBlock);
  float* block = values_.data() + offset(rowBlock, depthBlock);
  const Split groups = Split::into(rows, kRows);
  for (int g = 0; g < groups.count; ++g)
    for (int c = 0; c < depth; ++c)
      for (int m = 0; m < groups.size(g); ++m) {
        float transformed[kFrequencies];
        weight(rows_.start(rowBlock) + groups.start(g) + m, depth_.start(depthBlock) + c, transformed);
        float* to = block + groups.start(g) * depth + c * groups.size(g) + m;
        for (int f = 0; f < kFrequencies; ++f) to[static_cast<size_t>(f) * rows * depth] = transformed[f];
      }
}

class WinogradConvolution3 : public Layer {
 public:
  /** Whether it is the faster kernel for a shape: whether enough multiplications are saved in whole blocks of tiles. */
  static bool pays(int inputs, int outputs, int height, int width);

  WinogradConvolution3(Parameters& parameters, ConvolutionSpec spec);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override {
    return 1.0 * kTaps * input_.count * output_.count * shape_.height * shape_.width;
  }
  const char* name() const override { return "3x3"; }

 private:
  struct ForwardMemory;
  struct BackwardMemory;

  void forwardStrip(const Pass& pass, const Strip& strip, const ForwardMemory& memory) const;
  void loadWindows(const FeatureMap& input, const Strip& strip, int first, int count, const ForwardMemory& memory) const;
  void storeOutputs(const Pass& pass, const Strip& strip, int first, int count, const ForwardMemory& memory) const;
  void backwardStrip(const Pass& pass, const GradientTerms& terms, const Strip& strip, const BackwardMemory& memory,
                     NormVectors& sums) const;
  void loadGradients(const Pass& pass, const GradientTerms& terms, const Strip& strip, int first, int count,
                     const BackwardMemory& memory) const;
  void storeInputGradients(FeatureMap& input, const Strip& strip, int first, int count, const float* pixels,
                           NormVectors& sums) const;
  void addWeightGradients(const FeatureMap& input, const Strip& strip, const BackwardMemory& memory) const;
  void transformChannels(const Strip& strip, int vectors, const BackwardMemory& memory) const;
  template <int M, int V>
  void addTiles(Block<M, V>& sum, const Strip& strip, const float* gradients, const float* channels) const;
  void clearEdges(const Strip& strip, float* padded) const;
  void loadChannels(const FeatureMap& input, const Strip& strip, int first, int count, float* to) const;
  void storeWeightGradient(const float* sums, float* partial) const;
  int pixelFloats() const { return shape_.reachFloats() + shape_.width; }
  size_t transformedFloats(int channels) const { return static_cast<size_t>(channels) * shape_.channelStride; }

  Channels input_, output_;
  Dropout dropout_;
  bool firstReader_;
  StripShape shape_;
  std::shared_ptr<Norm> norm_;
  Filters3 filters_;
  FrequencyWeights forwardWeights_, backwardWeights_;
};

}  // namespace densenet
