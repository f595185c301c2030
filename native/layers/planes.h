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
  /** Where to compute: `blocks` times kVectors positions that cover every pixel, each in one block only. */
  int blocks;
  std::vector<int> offsets;
  /** Position of pixel y·width + x. */
  std::vector<int> positions;
};

/** Input channels whose planes are held at a time. */
struct InputBlock {
  int start, count;
};

/** How input channels are cut into blocks. They begin at multiples of kTile channels. */
class InputBlocks {
 public:
  /** `floats`: of the planes of one channel. */
  InputBlocks(int channels, int floats);

  int count() const { return units_.count; }
  InputBlock operator[](int index) const;
  /** Channels of the largest block, rounded up to a multiple of kTile. */
  int largest() const { return (units_.total + units_.count - 1) / units_.count * kTile; }

 private:
  /** Floats of the planes held at a time: with the other operands they stay in the second-level cache. */
  static constexpr int kFloats = 64 * 1024;
  int channels_;
  Split units_;
};

}  // namespace densenet
