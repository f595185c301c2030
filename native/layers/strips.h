// Strips: bands of an image, or some whole small images, that a Winograd convolution takes at a time.
#pragma once

#include <vector>

#include "../kernels/winograd.h"
#include "tasks.h"

namespace densenet {

/**
 * `bands` bands of kTileHeight rows from `band` on, of `images` images from `image` on; more than one image only as a
 * whole.
 */
struct Strip {
  int image, images, band, bands;
};

/** Pixels of a batch that lie side by side: `count` from number `first` on. */
struct PixelRun {
  int64_t first;
  int count;

  /** The tiles of a feature map that hold them. */
  int firstTile() const { return static_cast<int>(first / kTile); }
  int lastTile() const { return static_cast<int>((first + count - 1) / kTile); }
};

/** Calls f(tile of the map) for a share of the tiles that hold a run: part `part` of `count`. */
template <class F>
void forTilesOf(const PixelRun& run, int part, int count, F&& f) {
  const Split parts{run.lastTile() + 1 - run.firstTile(), count};
  for (int i = parts.start(part); i < parts.start(part + 1); ++i) f(run.firstTile() + i);
}

/**
 * How the images of a map are cut into tiles of kTileHeight × N pixels and into strips, by their shape alone.
 *
 * A band is cut into slots of kLanes columns, the last one filled up. N slots, from wherever they are, make a vector of
 * kLanes tiles.
 */
template <int N>
class StripShape {
 public:
  StripShape(int height, int width);

  /** Whether one image fills a block of tiles. */
  static bool fillsBlock(int height, int width);
  /** Multiplications of the definition for one of this one's, filled-up tiles counted in. */
  static double gain(int height, int width);

  int height, width;
  /**
   * Floats from one channel's transformed tiles to the next's. A line more than they take: not all to the same sets.
   */
  ptrdiff_t channelStride;
  /** Floats of the working memory of windows and gradients, which has to be 0 at first, and of outputs' pixels. */
  int workingFloats() const { return static_cast<int>(kWindowHeight * size_ + rowFloats_); }
  int outputFloats() const { return allocatedBands_ * kTileHeight * rowFloats_; }

  int blocks(const Strip& strip) const { return (slots(strip) + kBlockSlots - 1) / kBlockSlots; }
  /** The pixels under a strip's tiles. */
  PixelRun pixels(const Strip& strip) const;
  /** The pixels that its windows reach, and the image's rows [top, bottom) that they are. */
  PixelRun reach(const Strip& strip) const;
  int top(const Strip& strip) const { return std::max(0, kTileHeight * strip.band - 1); }
  int bottom(const Strip& strip) const { return std::min(height, kTileHeight * (strip.band + strip.bands) + 1); }
  /** The most floats that a reached run takes in whole tiles of a feature map, room for reading past it included. */
  int reachFloats() const { return reachFloats_; }
  /** Zero-padded pixels of a strip: rows of one image, columns, and pixels of all images. */
  int paddedRows() const { return kTileHeight * stripBands_ + 2; }
  int paddedColumns() const { return rowFloats_ + 2; }
  int paddedPixels() const { return stripImages_ * paddedRows() * paddedColumns(); }
  /** Where reached pixel i lies among the padded ones. */
  const int* paddedPositions(const Strip& strip) const {
    return positions_.data() + (strip.band == 0 ? reached_ : 0);
  }

  /** Calls f(strip) for the strips of images [first, last). */
  template <class F>
  void forStrips(int first, int last, F&& f) const {
    const Split groups = Split::into(last - first, stripImages_), bands = Split::into(bands_, stripBands_);
    for (int g = 0; g < groups.count; ++g)
      for (int b = 0; b < bands.count; ++b)
        f(Strip{first + groups.start(g), groups.size(g), bands.start(b), bands.size(b)});
  }

  /** From the reached pixels of a channel to blocks of tiles: windows, or gradients of the pixels under the tiles. */
  void windows(const Strip& strip, const float* pixels, float* working, float* to) const;
  void gradients(const Strip& strip, const float* pixels, float* working, float* to) const;
  /** From blocks of tiles to the pixels under them, outputFloats() with what is filled up. */
  void outputs(const Strip& strip, const float* from, float* to) const;
  /**
   * Windows with channels in the lanes, from padded pixels [row][column][kTile], each tile's to where its place in the
   * blocks is, kTransformed floats a tile. Tiles that fill up the last block become 0. `working`:
   * kWindowHeight · paddedColumns() · kLanes floats.
   */
  void channels(const Strip& strip, const float* padded, float* working, float* to) const;
  /** A line more than its frequencies take: not all to the same sets of the cache. */
  static constexpr int kTransformed = kFrequencies<N> * kTile + 16;
  int mostTiles() const { return static_cast<int>(tilePlaces_.size()); }

 private:
  static constexpr int kBlockSlots = kVectors * N, kSlotTiles = kLanes / N;
  int slots(const Strip& strip) const { return strip.images * strip.bands * bandSlots_; }
  /** Rows of each image under a strip's tiles. */
  int pixelRows(const Strip& strip) const {
    return std::min(height, kTileHeight * (strip.band + strip.bands)) - kTileHeight * strip.band;
  }
  template <class F>
  void forBands(const Strip& strip, F&& f) const;
  template <class F>
  void forVectors(const Strip& strip, float* to, F&& f) const;
  void compact(const Strip& strip, float* pixels) const;

  /** Bands of an image, slots of a band, and the pixels of a band's row, filled up. */
  int bands_, bandSlots_, rowFloats_;
  int stripBands_, stripImages_, allocatedBands_, reached_, reachFloats_;
  /** Of the working memory: from one row of the vertical transform to the next, and from one band to the next. */
  ptrdiff_t size_, bandStride_;
  IntVec lastMask_;
  /** Where each slot lies in the working memory and among the outputs, and each tile among the transformed channels. */
  std::vector<int> places_, outputPlaces_, tilePlaces_;
  /** Of strips that do not begin at an image's top, then of those that do: one row of zeros lies above them. */
  std::vector<int> positions_;
};

extern template class StripShape<2>;
extern template class StripShape<4>;

}  // namespace densenet
