// Strips: runs of tile rows of an image, or some whole small images, that a Winograd convolution takes at a time.
#pragma once

#include <vector>

#include "../kernels/winograd.h"
#include "tasks.h"

namespace densenet {

/** `rows` rows of tiles from `row` on, of `images` images from `image` on; more than one image only as a whole. */
struct Strip {
  int image, images, row, rows;
};

/** Pixels of a batch that lie side by side: `count` from number `first` on. */
struct PixelRun {
  int64_t first;
  int count;

  /** The tiles of a feature map that hold them. */
  int firstTile() const { return static_cast<int>(first / kTile); }
  int lastTile() const { return static_cast<int>((first + count - 1) / kTile); }
};

/** Calls f(tile of the map) for a share of the tiles that hold a run: part `part` of kFrequencies. */
template <class F>
void forTilesOf(const PixelRun& run, int part, F&& f) {
  const Split parts{run.lastTile() + 1 - run.firstTile(), kFrequencies};
  for (int i = parts.start(part); i < parts.start(part + 1); ++i) f(run.firstTile() + i);
}

/** How the images of a map are cut into tiles of 2×2 pixels and into strips, by their shape alone. */
class StripShape {
 public:
  StripShape(int height, int width);

  int height, width;
  /** Tiles of an image, down and across. */
  int tileRows, tileColumns;
  /**
   * Floats from one channel's transformed tiles to the next's. A line more than they take: not all to the same sets.
   */
  ptrdiff_t channelStride;
  /** The planes of one channel of a strip. */
  RowPlanes planes;
  int planeFloats() const { return static_cast<int>(2 * RowPlanes::kPlanes * planes.size); }

  /** Tiles of each image of a strip. They begin with a block. */
  int tiles(const Strip& strip) const { return strip.rows * tileColumns; }
  int blocks(const Strip& strip) const { return (tiles(strip) + kTile - 1) / kTile; }
  /** The pixels under a strip's tiles. */
  PixelRun pixels(const Strip& strip) const;
  /** The pixels that its windows reach, and the image's rows [top, bottom) that they are. */
  PixelRun reach(const Strip& strip) const;
  int top(const Strip& strip) const { return std::max(0, 2 * strip.row - 1); }
  int bottom(const Strip& strip) const { return std::min(height, 2 * (strip.row + strip.rows) + 1); }
  /** The most floats that a reached run takes in whole tiles of a feature map, room for reading past it included. */
  int reachFloats() const { return reachFloats_; }
  /** Zero-padded pixels of a strip: rows of one image, columns, and pixels of all images. */
  int paddedRows() const { return 2 * stripRows_ + 2; }
  int paddedColumns() const { return 2 * tileColumns + 2; }
  int stripImages() const { return stripImages_; }
  int mostTiles() const { return stripRows_ * tileColumns; }
  int paddedPixels() const { return stripImages_ * paddedRows() * paddedColumns(); }
  /** Where reached pixel i lies among the padded ones. */
  const int* paddedPositions(const Strip& strip) const {
    return positions_.data() + (strip.row == 0 ? reached_ : 0);
  }

  /** Calls f(strip) for the strips of images [first, last). */
  template <class F>
  void forStrips(int first, int last, F&& f) const {
    const Split groups = Split::into(last - first, stripImages_), rows = Split::into(tileRows, stripRows_);
    for (int g = 0; g < groups.count; ++g)
      for (int r = 0; r < rows.count; ++r) f(Strip{first + groups.start(g), groups.size(g), rows.start(r), rows.size(r)});
  }

  /**
   * Transforms the reached rows of a channel into planes; `kOwn`: with the tiles' own pixels. Reads two floats before
   * the pixels.
   */
  template <bool kOwn>
  void rows(const Strip& strip, const float* pixels, float* to) const;
  /** From planes to blocks of tiles: windows, or the gradients of the pixels under the tiles. */
  void windows(const Strip& strip, const float* from, float* to) const;
  void gradients(const Strip& strip, const float* from, float* to) const;
  /**
   * From blocks of tiles to the pixels under them; writes up to a row and two vectors more. `working`: planeFloats() of
   * working memory.
   */
  void outputs(const Strip& strip, const float* from, float* working, float* to) const;

 private:
  template <class F>
  void forVectors(const Strip& strip, const float* from, float* to, F&& transform) const;

  std::vector<ColumnMasks> masks_;
  int stripRows_, stripImages_, reached_, reachFloats_;
  /** Of strips that do not begin at an image's top, then of those that do: one row of zeros lies above them. */
  std::vector<int> positions_;
};

}  // namespace densenet
