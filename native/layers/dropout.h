// Dropout after a convolution. The mask is a pure function of (seed, step, layer, element).
#pragma once

#include <cmath>

#include "../feature_map.h"
#include "../random.h"
#include "tasks.h"

namespace densenet {

class Dropout {
 public:
  /** `layer` numbers the convolutions of a network from 0 (features.conv0); 0 ≤ probability < 1. */
  Dropout(double probability, int layer)
      : probability_(probability), layer_(static_cast<uint32_t>(layer)),
        threshold_(static_cast<uint32_t>(std::min(std::ceil(probability * 4294967296.0), 4294967295.0))),
        scale_(static_cast<float>(1 / (1 - probability))) {}

  bool active(bool training) const { return training && probability_ > 0; }
  /** What a kept value is multiplied by. */
  float scale(bool training) const { return active(training) ? scale_ : 1; }

  /** Drops values or their gradients: elements first … first+count−1 of the convolution's [N, C, H, W] output. */
  void apply(Key step, float* values, int count, uint32_t first) const {
    const Key key = extend(step, layer_);
    int i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      UintVec counter;
      for (int lane = 0; lane < kLanes; ++lane) counter[lane] = first + static_cast<uint32_t>(i + lane);
      const IntVec kept = bits(key, counter) >= threshold_;
      store(values + i, keep(kept, load(values + i) * scale_));
    }
    for (; i < count; ++i) values[i] = bits(key, first + static_cast<uint32_t>(i)) >= threshold_ ? values[i] * scale_ : 0;
  }

  /** The same for one tile [channels][kTile] of a convolution's output. */
  void applyTile(Key step, float* rows, int channels, const FeatureMap& map, int tile) const {
    const int64_t pixels = map.imagePixels(), begin = static_cast<int64_t>(tile) * kTile;
    for (int lane = 0, lanes = map.lanes(tile); lane < lanes;) {
      const int64_t image = (begin + lane) / pixels, inside = (begin + lane) % pixels;
      const int count = static_cast<int>(std::min<int64_t>(lanes - lane, pixels - inside));
      for (int c = 0; c < channels; ++c)
        apply(step, rows + c * kTile + lane, count, static_cast<uint32_t>((image * channels + c) * pixels + inside));
      lane += count;
    }
  }

 private:
  double probability_;
  uint32_t layer_, threshold_;
  float scale_;
};

}  // namespace densenet
