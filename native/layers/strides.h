// Where the pixels of a map and of every stride-th row and column of a larger map lie.
#pragma once

#include "../feature_map.h"

namespace densenet {

/** The pixels of one tile among another map's tiles, for its channel 0. */
struct TileOffsets {
  /** Floats from the map's first; −1 where there is no such pixel. */
  ptrdiff_t lanes[kTile];
};

/** Where pixel `pixel` of a batch lies in a map. */
inline ptrdiff_t offsetOf(const FeatureMap& map, int64_t pixel) {
  return static_cast<ptrdiff_t>(pixel / kTile) * map.tileStride() + static_cast<ptrdiff_t>(pixel % kTile);
}

/** Calls f(lane, image, y, x) for the pixels of a tile. */
template <class F>
void forLanes(const FeatureMap& map, int tile, F&& f) {
  int64_t pixel = static_cast<int64_t>(tile) * kTile;
  for (int lane = 0; lane < map.lanes(tile); ++lane, ++pixel) {
    const int inside = static_cast<int>(pixel % map.imagePixels());
    f(lane, pixel / map.imagePixels(), inside / map.width(), inside % map.width());
  }
}

/** For each pixel (y, x) of a tile of `small`, pixel (y·stride, x·stride) of `large`. */
inline TileOffsets sampledOffsets(const FeatureMap& small, int tile, const FeatureMap& large, int stride) {
  TileOffsets offsets;
  for (ptrdiff_t& lane : offsets.lanes) lane = -1;
  forLanes(small, tile, [&](int lane, int64_t image, int y, int x) {
    offsets.lanes[lane] = offsetOf(large, (image * large.height() + y * stride) * large.width() + x * stride);
  });
  return offsets;
}

/** For each pixel (y, x) of a tile of `large`, pixel (y/stride, x/stride) of `small` where both divide. */
inline TileOffsets samplingOffsets(const FeatureMap& large, int tile, const FeatureMap& small, int stride) {
  TileOffsets offsets;
  for (ptrdiff_t& lane : offsets.lanes) lane = -1;
  forLanes(large, tile, [&](int lane, int64_t image, int y, int x) {
    if (y % stride != 0 || x % stride != 0) return;
    offsets.lanes[lane] = offsetOf(small, (image * small.height() + y / stride) * small.width() + x / stride);
  });
  return offsets;
}

/** to[lane] = from[its offset], 0 where there is none. */
inline void gather(const float* from, const TileOffsets& offsets, float* to) {
  for (int lane = 0; lane < kTile; ++lane) to[lane] = offsets.lanes[lane] < 0 ? 0 : from[offsets.lanes[lane]];
}

}  // namespace densenet
