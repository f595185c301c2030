#include "strips.h"

#include <cstring>

namespace densenet {

namespace {

/** Pixels of a strip: their transformed channels stay in the second-level cache. */
constexpr int kStripPixels = 512;

int divideUp(int value, int by) { return (value + by - 1) / by; }

}  // namespace

template <int N>
bool StripShape<N>::fillsBlock(int height, int width) {
  return divideUp(height, kTileHeight) * divideUp(width, kLanes) >= kBlockSlots;
}

template <int N>
double StripShape<N>::gain(int height, int width) {
  const int tiles = divideUp(height, kTileHeight) * divideUp(width, kLanes) * kSlotTiles;
  return 9.0 * height * width / (kFrequencies<N> * tiles);
}

template <int N>
StripShape<N>::StripShape(int height, int width)
    : height(height), width(width), bands_(divideUp(height, kTileHeight)), bandSlots_(divideUp(width, kLanes)),
      rowFloats_(bandSlots_ * kLanes) {
  const int bandPixels = kTileHeight * rowFloats_;
  stripImages_ = std::max(1, kStripPixels / (bands_ * bandPixels));
  stripBands_ = divideUp(bands_, Split::into(bands_, std::clamp(kStripPixels / bandPixels, 1, bands_)).count);
  const int allocated = roundUp(stripImages_ * stripBands_ * bandSlots_, kBlockSlots);
  allocatedBands_ = divideUp(allocated, bandSlots_);
  channelStride = allocated / kBlockSlots * kBlockFloats<N> + 16;
  bandStride_ = rowFloats_ + kLanes;  // zeros between the bands
  size_ = allocatedBands_ * bandStride_ + 2 * kLanes;
  reached_ = (stripImages_ - 1) * height * width + std::min(height, kTileHeight * stripBands_ + 2) * width;
  reachFloats_ = roundUp(reached_, kTile) + 2 * kTile + kLanes;
  for (int i = 0; i < kLanes; ++i) lastMask_[i] = rowFloats_ - kLanes + i < width ? -1 : 0;
  for (int s = 0; s < allocated; ++s) {
    const int band = s / bandSlots_, x = s % bandSlots_ * kLanes;
    places_.push_back(static_cast<int>(kLanes + band * bandStride_ + x));
    outputPlaces_.push_back(band * bandPixels + x);
    for (int j = 0; j < kSlotTiles; ++j)
      tilePlaces_.push_back((s / N * kLanes + dealtLane<N>(s % N, j)) * kTransformed);
  }
  for (int top = 0; top < 2; ++top)
    for (int i = 0; i < reached_; ++i) {
      const int image = i / (height * width), y = i / width % height, x = i % width;
      positions_.push_back((image * paddedRows() + y + top) * paddedColumns() + x + 1);
    }
}

template <int N>
PixelRun StripShape<N>::pixels(const Strip& strip) const {
  return {(int64_t{strip.image} * height + kTileHeight * strip.band) * width,
          ((strip.images - 1) * height + pixelRows(strip)) * width};
}

template <int N>
PixelRun StripShape<N>::reach(const Strip& strip) const {
  return {(int64_t{strip.image} * height + top(strip)) * width,
          ((strip.images - 1) * height + bottom(strip) - top(strip)) * width};
}

/** Calls f(image of the strip, first row, band of the strip) for each band. */
template <int N>
template <class F>
DENSENET_INLINE void StripShape<N>::forBands(const Strip& strip, F&& f) const {
  for (int i = 0; i < strip.images; ++i)
    for (int b = 0; b < strip.bands; ++b) f(i, kTileHeight * (strip.band + b), i * strip.bands + b);
}

/** Calls f(slots, blocks of tiles) for each vector of a strip's tiles. */
template <int N>
template <class F>
DENSENET_INLINE void StripShape<N>::forVectors(const Strip& strip, float* to, F&& f) const {
  for (int block = 0; block < blocks(strip); ++block)
    for (int v = 0; v < kVectors; ++v)
      f((block * kVectors + v) * N, to + static_cast<ptrdiff_t>(block) * kBlockFloats<N> + v * kLanes);
}

template <int N>
void StripShape<N>::windows(const Strip& strip, const float* pixels, float* working, float* to) const {
  const float* zeros = working + kWindowHeight * size_;
  const ptrdiff_t size = size_;
  forBands(strip, [&](int image, int y, int band) {
    const float* rows[kWindowHeight];
    for (int i = 0; i < kWindowHeight; ++i) {
      const int row = y - 1 + i;
      rows[i] = row >= 0 && row < height ? pixels + (image * height + row - top(strip)) * width : zeros;
    }
    transformRows(rows, width, lastMask_, working + kLanes + band * bandStride_, size,
                  [](const auto& d, auto& t) { Winograd<kTileHeight>::input(d, t); });
  });
  forVectors(strip, to, [&](int slot, float* at) { transformWindows<N>(working, places_.data() + slot, size, at); });
}

template <int N>
void StripShape<N>::gradients(const Strip& strip, const float* pixels, float* working, float* to) const {
  const float* zeros = working + kWindowHeight * size_;
  const ptrdiff_t size = size_;
  forBands(strip, [&](int image, int y, int band) {
    const float* rows[kTileHeight];
    for (int i = 0; i < kTileHeight; ++i)
      rows[i] = y + i < height ? pixels + (image * height + y + i - top(strip)) * width : zeros;
    transformRows(rows, width, lastMask_, working + kLanes + band * bandStride_, size,
                  [](const auto& dy, auto& t) { Winograd<kTileHeight>::gradient(dy, t); });
  });
  forVectors(strip, to, [&](int slot, float* at) { transformGradients<N>(working, places_.data() + slot, size, at); });
}

template <int N>
void StripShape<N>::outputs(const Strip& strip, const float* from, float* to) const {
  for (int v = 0; v * N < slots(strip); ++v)
    transformOutputs<N>(from + v / kVectors * static_cast<ptrdiff_t>(kBlockFloats<N>) + v % kVectors * kLanes, to,
                        outputPlaces_.data() + v * N, rowFloats_);
  compact(strip, to);
}

/** Leaves out the columns and rows that filled up slots and bands. */
template <int N>
void StripShape<N>::compact(const Strip& strip, float* pixels) const {
  if (width == rowFloats_ && (strip.images == 1 || height % kTileHeight == 0)) return;
  const int rows = pixelRows(strip), bandRows = kTileHeight * strip.bands;
  for (int i = 0; i < strip.images; ++i)
    for (int y = 0; y < rows; ++y)
      std::memmove(pixels + (i * rows + y) * width, pixels + (i * bandRows + y) * rowFloats_, width * sizeof(float));
}

template <int N>
void StripShape<N>::channels(const Strip& strip, const float* padded, float* working, float* to) const {
  const ptrdiff_t rowStride = static_cast<ptrdiff_t>(paddedColumns()) * kTile;
  const int bandTiles = bandSlots_ * kSlotTiles;
  forBands(strip, [&](int image, int, int band) {
    const int row = image * paddedRows() + kTileHeight * (band - image * strip.bands);
    const int* places = tilePlaces_.data() + band * bandTiles;
    transformChannels<N>(padded + row * rowStride, rowStride, bandTiles, working, to, places);
  });
  for (int tile = slots(strip) * kSlotTiles; tile < blocks(strip) * kTile; ++tile)
    for (int f = 0; f < kFrequencies<N>; ++f) store(to + tilePlaces_[tile] + f * kTile, Vec{});
}

template class StripShape<2>;
template class StripShape<4>;

}  // namespace densenet
