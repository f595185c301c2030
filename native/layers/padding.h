// The shortcut without parameters (He et al. 2016a, option A): every stride-th row and column, then channels of zeros.
#pragma once

#include "layer.h"

namespace densenet {

/** Writes its output before the branch is added to it, and its input's gradient before any other reader. */
class Padding : public Layer {
 public:
  Padding(Channels input, Channels output, int stride) : input_(input), output_(output), stride_(stride) {}

  void prepare(Executor&, bool) override {}
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  const char* name() const override { return "padding"; }

 private:
  Channels input_, output_;
  int stride_;
};

}  // namespace densenet
