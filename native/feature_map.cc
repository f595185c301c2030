#include "feature_map.h"

#include <algorithm>
#include <cmath>

namespace densenet {

namespace {

constexpr double kEpsilon = 1e-5;  // BN_EPSILON of src/networks/network.ts

/** Neighbouring tiles must not be a multiple of 4 KB apart: they would share the sets of a first-level cache. */
ptrdiff_t strideOf(int channels) {
  constexpr ptrdiff_t kSameSets = 1024, kApart = 64;
  const ptrdiff_t floats = static_cast<ptrdiff_t>(channels) * kTile;
  return floats % kSameSets == 0 ? floats + kApart : floats;
}

}  // namespace

FeatureMap::FeatureMap(int channels, int height, int width)
    : mean(channels), variance(channels), inverse(channels), deferredMean(channels), deferredSlope(channels),
      channels_(channels), height_(height), width_(width), tileStride_(strideOf(channels)) {}

int FeatureMap::lanes(int tile) const {
  return static_cast<int>(std::min<int64_t>(kTile, pixels() - static_cast<int64_t>(tile) * kTile));
}

void FeatureMap::clearTail() {
  const int last = tiles() - 1, first = lanes(last);
  for (int c = 0; c < channels_; ++c) std::fill(tile(last) + c * kTile + first, tile(last) + (c + 1) * kTile, 0.0f);
}

void FeatureMap::setMoments(int first, const std::vector<MomentsPart>& parts) {
  const size_t count = parts.front().channels.size();
  for (size_t c = 0; c < count; ++c) {
    double pixels = 0, mu = 0, squares = 0;
    for (const MomentsPart& part : parts) {  // Chan, Golub and LeVeque 1979
      const Moments& m = part.channels[c];
      const double total = pixels + part.pixels, delta = m.mean - mu;
      mu += delta * part.pixels / total;
      squares += m.squares + delta * delta * pixels * part.pixels / total;
      pixels = total;
    }
    const size_t channel = first + c;
    mean[channel] = mu;
    variance[channel] = squares / pixels;
    inverse[channel] = 1 / std::sqrt(variance[channel] + kEpsilon);
  }
}

void FeatureMap::clearDeferred() {
  std::fill(deferredMean.begin(), deferredMean.end(), 0.0);
  std::fill(deferredSlope.begin(), deferredSlope.end(), 0.0);
}

GradientTerms::GradientTerms(const FeatureMap& map, int first, int count) : offset(count), slope(count) {
  for (int i = 0; i < count; ++i) {
    const int c = first + i;
    offset[i] = static_cast<float>(map.deferredSlope[c] * map.mean[c] - map.deferredMean[c]);
    slope[i] = static_cast<float>(-map.deferredSlope[c]);
  }
}

}  // namespace densenet
