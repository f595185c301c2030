// 3×3 convolution after batch normalisation and ReLU, any stride above 1, padding 1, image by image.
//
// The rows and columns of the padded input are dealt out to stride² phase planes as large as the output: plane (a, b)
// holds pixel (y·stride + a, x·stride + b) at (y, x). A tap is then a phase plane and a shift in it, as in
// Convolution3, and nothing is computed that is not kept.
#pragma once

#include <vector>

#include "convolution_spec.h"
#include "filters3.h"
#include "planes.h"

namespace densenet {

class StridedConvolution3 : public Layer {
 public:
  StridedConvolution3(Parameters& parameters, ConvolutionSpec spec, int stride);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override {
    return 1.0 * kTaps * input_.count * output_.count * shape_.height * shape_.width;
  }
  const char* name() const override { return "strided 3x3"; }

 private:
  /** Positions, in units of kVectors, that share a pass over one group's weights. */
  static constexpr int kSharedPositions = 4;
  static Split rowGroups(int rows) { return Split::into(rows, kRows); }
  /** One of the nine weights of a window. */
  struct Tap {
    /** [row][column] of the window, its phase plane, and where it reads there. */
    int index, phase, shift;
  };
  int phases() const { return stride_ * stride_; }
  /** Floats of all phase planes of a channel. */
  int channelFloats() const { return phases() * shape_.size; }
  void forwardImage(const Pass& pass, int image, Scratch& scratch, MomentSums& moments) const;
  void backwardImage(const Pass& pass, const GradientTerms& terms, int image, float* weightGradient,
                     NormVectors& sums, Scratch& scratch) const;
  void loadPlanes(const FeatureMap& input, int image, InputBlock block, float* planes, float* row) const;
  void storeOutput(const FeatureMap& output, int image, const float* planes, float* row) const;
  void loadOutputGradient(const FeatureMap& output, const GradientTerms& terms, int image, float* planes,
                          float* row) const;
  void multiplyTransposed(InputBlock block, const float* outputPlanes, float* inputPlanes) const;
  void storeInputGradient(FeatureMap& input, int image, InputBlock block, const float* planes, float* row,
                          NormVectors& sums) const;
  void transposePlanes(InputBlock block, const float* planes, float* transposed) const;
  void addWeightGradients(InputBlock block, const float* outputPlanes, const float* transposed,
                          float* weightGradient) const;

  Channels input_, output_;
  int stride_;
  bool firstReader_;
  /** Of the output, and of a phase plane. */
  PlaneShape shape_;
  /** In the order of their phases. */
  std::vector<Tap> taps_;
  InputBlocks blocks_;
  std::shared_ptr<Norm> norm_;
  Filters3 filters_;
  /** [block][output group][input][tap][group] and [block][input group][phase][output][tap of the phase][group]. */
  std::vector<float> forwardWeights_, backwardWeights_;
};

}  // namespace densenet
