// 1×1 convolution, after batch normalisation and ReLU or on plain input: a matrix product over pixels.
#pragma once

#include <vector>

#include "convolution_spec.h"
#include "rows.h"

namespace densenet {

template <class Operand>
class Pointwise : public Layer {
 public:
  /** `statistics`: a later layer normalises the output, so its mean and variance are found. */
  Pointwise(Parameters& parameters, ConvolutionSpec spec, bool statistics);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override { return pixels_ * input_.count * output_.count; }
  const char* name() const override { return "1x1"; }

 private:
  struct BackwardBlock;
  void forwardTiles(const Pass& pass, int first, int last, Scratch& scratch) const;
  /** Lays the weights out for a backward pass. */
  void prepareBackward(const Pass& pass) const;
  void backwardTiles(const Pass& pass, const GradientTerms& terms, int first, int last, float* weightGradient,
                     NormVectors& sums, Scratch& scratch) const;
  template <int M, bool kNormalized, bool kFirst>
  void backwardRows(const BackwardBlock& block, int row, NormVectors& sums) const;
  void reduceWeights(const Pass& pass, int tasks) const;
  int paddedOutputs() const { return roundUp(output_.count, kLanes); }

  Parameters& parameters_;
  Channels input_, output_;
  Dropout dropout_;
  bool firstReader_, statistics_;
  double pixels_;  // of an image
  std::shared_ptr<Norm> norm_;
  size_t weights_;
  /** Words [depth block][output group][inputs][group]. */
  std::vector<float> forwardWeights_;
};

extern template class Pointwise<Single>;
extern template class Pointwise<BfloatPairs>;

}  // namespace densenet
