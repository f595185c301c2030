// The first convolution (features.conv0): any kernel, stride and padding, on images [N, C, H, W].
#pragma once

#include <vector>

#include "layer.h"
#include "rows.h"
#include "window_planes.h"

namespace densenet {

template <class Operand>
class FirstConvolution : public Layer {
 public:
  /** On images [channels, height, width]. */
  FirstConvolution(Parameters& parameters, int channels, int height, int width, Channels output, Window window);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override { return outputPixels_ * depth_ * output_.count; }
  const char* name() const override { return "first convolution"; }

 private:
  void gather(const Pass& pass, int tile, float* panel) const;
  /** Floats of an image's planes. */
  int imageFloats() const { return channels_ * shape_.size; }

  Parameters& parameters_;
  int channels_;
  Channels output_;
  /** Of the images. */
  WindowPlanes shape_;
  double outputPixels_;
  /** Inputs of one output: channels · kernel². */
  int depth_;
  /** Where each of them is in an image's planes, from the output on. */
  std::vector<int> taps_;
  size_t weights_;
  /** Words, [output group][depth][group]. */
  std::vector<float> packed_;
};

extern template class FirstConvolution<Single>;
extern template class FirstConvolution<BfloatPairs>;

}  // namespace densenet
