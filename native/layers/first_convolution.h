// The first convolution (features.conv0): any kernel, stride and padding, on images [N, C, H, W].
#pragma once

#include <vector>

#include "layer.h"
#include "rows.h"

namespace densenet {

struct ConvolutionWindow {
  int kernel, stride, padding;
};

template <class Operand>
class FirstConvolution : public Layer {
 public:
  FirstConvolution(Parameters& parameters, int channels, int height, int width, Channels output,
                   ConvolutionWindow window, double outputPixels);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override { return outputPixels_ * depth_ * output_.count; }
  const char* name() const override { return "first convolution"; }

 private:
  void gather(const Pass& pass, int tile, float* panel) const;

  Parameters& parameters_;
  int channels_, height_, width_;
  Channels output_;
  ConvolutionWindow window_;
  double outputPixels_;
  /** Inputs of one output: channels · kernel². */
  int depth_;
  size_t weights_;
  /** Words, [output group][depth][group]. */
  std::vector<float> packed_;
};

extern template class FirstConvolution<Single>;
extern template class FirstConvolution<BfloatPairs>;

}  // namespace densenet
