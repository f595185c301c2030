// A map that is kept after BN-ReLU: where two layers read it, where a 1×1 convolution reads every stride-th row and
// column of it, and where dropout comes before a convolution.
#pragma once

#include "dropout.h"
#include "layer.h"
#include "rows.h"

namespace densenet {

/** y = dropout(ReLU(BN(x))) at every stride-th row and column. Readers of y give no gradient where it is 0. */
class Activation : public Layer {
 public:
  /** `firstReader`: nothing has been written to the input's gradient in this backward pass. */
  Activation(std::shared_ptr<Norm> norm, Channels input, Channels output, int stride, Dropout dropout,
             bool firstReader);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  const char* name() const override { return "activation"; }

 private:
  void backwardTile(const Pass& pass, int tile, NormVectors& sums) const;

  Channels input_, output_;
  int stride_;
  Dropout dropout_;
  bool firstReader_;
  std::shared_ptr<Norm> norm_;
};

}  // namespace densenet
