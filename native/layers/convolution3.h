// 3×3 convolution after batch normalisation and ReLU, stride 1, padding 1, image by image over padded planes.
#pragma once

#include <vector>

#include "convolution_spec.h"
#include "filters3.h"
#include "planes.h"

namespace densenet {

template <class Operand>
class Convolution3 : public Layer {
 public:
  Convolution3(Parameters& parameters, ConvolutionSpec spec);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override {
    return 1.0 * kTaps * input_.count * output_.count * shape_.height * shape_.width;
  }
  const char* name() const override { return "3x3"; }

 private:
  /** Output channels of an image in words of neighbouring pixels of a row; how far channels and rows are apart. */
  struct PixelWords {
    float* data;
    ptrdiff_t channel, row;
  };
  void forwardImage(const Pass& pass, int image, Scratch& scratch, MomentSums& moments) const;
  void backwardImage(const Pass& pass, const GradientTerms& terms, int image, float* weightGradient,
                     NormVectors& sums, Scratch& scratch) const;
  void loadPlanes(const FeatureMap& input, int image, InputBlock block, float* planes) const;
  void loadTransposed(const FeatureMap& input, int image, InputBlock block, float* transposed) const;
  void storeOutput(const Pass& pass, int image, const float* planes, float* row) const;
  PixelWords takePixelWords(Scratch& scratch) const;
  void loadOutputGradient(const Pass& pass, const GradientTerms& terms, int image, float* planes,
                          const PixelWords& words, float* rows) const;
  void packRow(const float* pixels, float* words) const;
  void storeInputGradient(FeatureMap& input, int image, InputBlock block, const float* planes,
                          NormVectors& sums) const;
  void storeLanes(const float* x, float* to, int lane, int length, const int* positions, InputBlock block,
                  const float* planes, NormVectors& sums) const;
  void packPositions(InputBlock block, const float* transposed, float* words) const;
  void addWeightGradients(InputBlock block, const PixelWords& outputs, const float* inputs,
                          float* weightGradient) const;
  /** Where a block's weights begin. */
  size_t forwardOffset(InputBlock block) const {
    return static_cast<size_t>(block.start / Operand::kTerms) * output_.count * kTaps;
  }
  size_t backwardOffset(InputBlock block) const {
    return static_cast<size_t>(block.start) * wordsOf<Operand>(output_.count) * kTaps;
  }

  Channels input_, output_;
  Dropout dropout_;
  bool firstReader_;
  PlaneShape shape_;
  InputBlocks blocks_;
  std::shared_ptr<Norm> norm_;
  Filters3 filters_;
  /** Words: [block][output group][inputs][tap][group] and [block][input group][outputs][tap][group]. */
  std::vector<float> forwardWeights_, backwardWeights_;
};

extern template class Convolution3<Single>;
extern template class Convolution3<BfloatPairs>;

}  // namespace densenet
