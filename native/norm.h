// Batch normalisation of the first channels of a feature map, for one reader.
#pragma once

#include <vector>

#include "feature_map.h"
#include "parameters.h"

namespace densenet {

/** Sums over a task's pixels of g and of g·(x−μ), g being the gradient at the normalisation's output. */
struct NormSums {
  double gradient = 0, product = 0;
};

class Norm {
 public:
  Norm(Parameters& parameters, int channels);
  /** No normalisation: scale 1, shift 0. Behind a ReLU another one changes nothing, so a layer reads as ever. */
  explicit Norm(int channels);

  /** Whether it normalises. */
  bool active() const { return parameters_ != nullptr; }
  /** y = scale·x + shift, per channel; ReLU follows in most readers. */
  const float* scale() const { return scale_.data(); }
  const float* shift() const { return shift_.data(); }
  /** Batch mean in single precision, [channels]. */
  const float* center() const { return center_.data(); }

  /** Uses the batch's statistics, and says what they move the running ones by. */
  void useBatch(const FeatureMap& map, bool movesRunning);
  void useRunning();

  /**
   * From the sums of all tasks, added in their order: the gradients of γ and β, and this reader's share of the map's
   * deferred terms.
   */
  void finish(FeatureMap& map, const std::vector<std::vector<NormSums>>& parts);

 private:
  Parameters* parameters_;
  int channels_;
  size_t gamma_, beta_, runningMean_, runningVariance_;
  std::vector<float> scale_, shift_, center_;
};

}  // namespace densenet
