// Zero-padded planes of one image: what a 3×3 convolution runs over.
//
// Row y of a plane starts at (y + 1)·stride and its pixels one further; one column of zeros separates rows and serves
// both sides, one row of zeros lies above and below. A shift in the plane is then a shift in the image.
#pragma once

#include <vector>

#include "../kernels/products.h"
#include "tasks.h"

namespace densenet {

struct PlaneShape {
  PlaneShape(int height, int width);

  int position(int y, int x) const { return (y + 1) * stride + x + 1; }

  int height, width, stride;
  /** Floats of a plane, room for a vector that starts at the last pixel included. */
  int size;
  /** The lanes of a vector of a tile lie side by side in the plane. */
  bool aligned;
  /** Where to compute: `blocks` times kVectors positions that cover every pixel. */
  int blocks;
  std::vector<int> offsets;
  /** Position of pixel y·width + x. */
  std::vector<int> positions;
};

/** Calls f(tile, lane, pixel, length) for the pieces of tiles that hold the image's pixels. */
template <class F>
void forImage(const FeatureMap& map, int image, F&& f) {
  forRuns(static_cast<int64_t>(image) * map.imagePixels(), map.imagePixels(), f);
}

}  // namespace densenet
