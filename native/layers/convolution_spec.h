// What every convolution inside a network is told.
#pragma once

#include <memory>

#include "../norm.h"
#include "dropout.h"
#include "layer.h"

namespace densenet {

struct ConvolutionSpec {
  /** How it normalises its input; null for plain input, which only Pointwise reads. */
  std::shared_ptr<Norm> norm;
  /** Where its weights [output][input][kernel][kernel] lie among the parameters. */
  size_t weights;
  Channels input, output;
  /** Of the image that the network's definition convolves. */
  int height, width;
  /** Nothing has been written to the input's gradient in this backward pass. */
  bool firstReader;
  Dropout dropout{0, 0};
};

}  // namespace densenet
