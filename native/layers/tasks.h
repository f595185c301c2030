// How a batch is cut into tasks: by its shape alone, never by the number of threads, so that sums over tasks always
// have the same terms in the same order.
#pragma once

#include <algorithm>

#include "../feature_map.h"
#include "../kernels/products.h"

namespace densenet {

constexpr int kMostTasks = 64;
/** A task is not worth the sum of its partial results below about so many pixels; what is left over makes one more. */
constexpr int kLeastPixels = 128;
/** Floats that the partial weight gradients of one layer may take. */
constexpr int64_t kPartialFloats = int64_t{1} << 22;

/** Cuts `items` of `pixels` pixels each into tasks that each need `floats` for their partial results. */
inline Split tasksOf(int items, int pixels, int64_t floats) {
  const int64_t total = static_cast<int64_t>(items) * pixels;
  const int64_t memory = std::max<int64_t>(8, kPartialFloats / std::max<int64_t>(1, floats));
  const int64_t most = std::min({static_cast<int64_t>(kMostTasks), (total + kLeastPixels - 1) / kLeastPixels, memory});
  return {items, static_cast<int>(std::clamp<int64_t>(most, 1, items))};
}

inline Split tileTasks(const FeatureMap& map, int64_t floats) { return tasksOf(map.tiles(), kTile, floats); }
inline Split imageTasks(const FeatureMap& map, int64_t floats) {
  return tasksOf(map.images(), map.imagePixels(), floats);
}

/** Calls f(tile, lane, done, length) for each piece of a tile among pixels first … first+count−1 of the batch. */
template <class F>
void forRuns(int64_t first, int count, F&& f) {
  for (int done = 0; done < count;) {
    const int64_t pixel = first + done;
    const int lane = static_cast<int>(pixel % kTile);
    const int length = std::min(kTile - lane, count - done);
    f(static_cast<int>(pixel / kTile), lane, done, length);
    done += length;
  }
}

/** Calls f(tile, lane, pixel, length) for the pieces of tiles that hold the image's pixels. */
template <class F>
void forImage(const FeatureMap& map, int image, F&& f) {
  forRuns(static_cast<int64_t>(image) * map.imagePixels(), map.imagePixels(), f);
}

/** The gradient of channel first + i of an image, deferred terms applied: [pixel]. */
inline void loadGradientRow(const FeatureMap& map, int first, int i, const GradientTerms& terms, int image, float* to) {
  const float offset = terms.offset[i], slope = terms.slope[i];
  forImage(map, image, [&](int tile, int lane, int pixel, int length) {
    const float* gradient = map.gradientTile(tile) + (first + i) * kTile + lane;
    const float* data = map.tile(tile) + (first + i) * kTile + lane;
    for (int p = 0; p < length; ++p) to[pixel + p] = gradient[p] + (data[p] * slope + offset);
  });
}

}  // namespace densenet
