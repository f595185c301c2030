// BN-ReLU or a map after a ReLU, global average pooling, the fully connected layer, and the cross-entropy of
// its softmax.
#pragma once

#include <vector>

#include "layer.h"
#include "rows.h"

namespace densenet {

class Classifier : public Layer {
 public:
  Classifier(Parameters& parameters, std::unique_ptr<Norm> norm, Channels input, int classes);

  void prepare(Executor& executor, bool training) override;
  /** Logits; in training also loss, correct, and the gradient of the logits. */
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  double multiplyAdds() const override { return static_cast<double>(input_.count) * classes_; }
  const char* name() const override { return "classifier"; }

 private:
  void pool(const FeatureMap& input, int image, float* features) const;
  void evaluateLoss(Activations& activations, int images);

  Parameters& parameters_;
  Channels input_;
  int classes_;
  std::unique_ptr<Norm> norm_;
  size_t weights_, bias_;
  /** [N, C] and [N, classes], kept for the backward pass. */
  std::vector<float> features_, logitGradients_;
};

}  // namespace densenet
