// 3×3 convolution after batch normalisation and ReLU, stride 1, padding 1, by Winograd's algorithm, strip by strip.
#pragma once

#include <vector>

#include "convolution_spec.h"
#include "filters3.h"
#include "frequency_weights.h"
#include "strips.h"

namespace densenet {

/** What both passes of a convolution know. */
struct WinogradSpec {
  Channels input, output;
  int height, width;
  Dropout dropout;
  bool firstReader;
  std::shared_ptr<Norm> norm;
  Filters3 filters;
};

/** One direction, by tiles of a width of its own. */
class WinogradPass {
 public:
  virtual ~WinogradPass() = default;
  /** Transforms the weights for prediction; in training each run does it, in memory that the layers share. */
  virtual void prepare(Executor&) {}
  virtual void run(const Pass& pass) = 0;
};

template <int N>
class WinogradForward : public WinogradPass {
 public:
  explicit WinogradForward(const WinogradSpec& spec);
  void prepare(Executor& executor) override;
  void run(const Pass& pass) override;

 private:
  struct Memory;
  void transform(Executor& executor, float* values) const;
  void runStrip(const Pass& pass, const Strip& strip, const Memory& memory) const;
  void loadWindows(const FeatureMap& input, const Strip& strip, int first, int count, const Memory& memory) const;
  void storeOutputs(const Pass& pass, const Strip& strip, int first, int count, const Memory& memory) const;
  int pixelFloats() const { return std::max(shape_.reachFloats(), shape_.outputFloats()); }

  const WinogradSpec& spec_;
  StripShape<N> shape_;
  FrequencyWeights weights_;
  std::vector<float> values_;  // only for prediction
};

template <int N>
class WinogradBackward : public WinogradPass {
 public:
  explicit WinogradBackward(const WinogradSpec& spec);
  void run(const Pass& pass) override;

 private:
  struct Memory;
  void runStrip(const Pass& pass, const GradientTerms& terms, const Strip& strip, const Memory& memory,
                NormVectors& sums) const;
  void loadGradients(const Pass& pass, const GradientTerms& terms, const Strip& strip, int first, int count,
                     const Memory& memory) const;
  void storeInputGradients(FeatureMap& input, const Strip& strip, int first, int count, const float* pixels,
                           NormVectors& sums) const;
  void addWeightGradients(const FeatureMap& input, const Strip& strip, const Memory& memory,
                          float* weightGradient) const;
  void clearEdges(const Strip& strip, float* padded) const;
  void loadChannels(const FeatureMap& input, const Strip& strip, int first, int count, float* to) const;
  int pixelFloats() const { return std::max(shape_.reachFloats(), shape_.outputFloats()); }

  const WinogradSpec& spec_;
  StripShape<N> shape_;
  FrequencyWeights weights_;
};

extern template class WinogradForward<2>;
extern template class WinogradForward<4>;
extern template class WinogradBackward<2>;
extern template class WinogradBackward<4>;

class WinogradConvolution3 : public Layer {
 public:
  /** Whether it is the faster kernel for a shape: whether enough multiplications are saved in whole blocks of tiles. */
  static bool pays(int inputs, int outputs, int height, int width);

  WinogradConvolution3(Parameters& parameters, ConvolutionSpec spec);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override { forward_->run(pass); }
  void backward(const Pass& pass) override { backward_->run(pass); }
  double multiplyAdds() const override {
    return 1.0 * kTaps * spec_.input.count * spec_.output.count * spec_.height * spec_.width;
  }
  const char* name() const override { return "3x3"; }

 private:
  WinogradSpec spec_;
  std::unique_ptr<WinogradPass> forward_, backward_;
};

}  // namespace densenet
