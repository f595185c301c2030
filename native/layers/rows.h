// Element-wise work on tiles [channels][kTile], shared by the layers.
#pragma once

#include <vector>

#include "../feature_map.h"
#include "../norm.h"
#include "../kernels/transpose.h"

namespace densenet {

/** Batch normalisation and ReLU: to[c] = max(0, scale[c]·from[c] + shift[c]). Fetches what lies `ahead` floats on. */
inline void normalizeRows(const float* from, int channels, const float* scale, const float* shift, float* to,
                          ptrdiff_t ahead) {
  for (int c = 0; c < channels; ++c, from += kTile, to += kTile) {
    prefetch(from + ahead, kTile);
    const Vec a = splat(scale[c]), b = splat(shift[c]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(to + v * kLanes, relu(load(from + v * kLanes) * a + b));
  }
}

/** Gathers the moments of channels over a task's tiles, about each channel's first value. */
class MomentSums {
 public:
  explicit MomentSums(int channels) : pivots_(channels), sums_(channels), squares_(channels) {}

  /** Adds lanes [first, last) of a tile [channels][kTile]; other lanes may be in the hands of another thread. */
  void add(const float* rows, int first, int last) {
    if (pixels_ == 0)
      for (size_t c = 0; c < pivots_.size(); ++c) pivots_[c] = rows[c * kTile + first];
    pixels_ += last - first;
    if (last - first == kTile)
      addTile(rows);
    else
      addLanes(rows, first, last);
  }

  MomentsPart part() const {
    MomentsPart part;
    part.pixels = pixels_;
    part.channels.resize(sums_.size());
    for (size_t c = 0; c < sums_.size(); ++c) {
      const double sum = sumLanes(sums_[c]);
      part.channels[c] = {pivots_[c] + sum / pixels_, sumLanes(squares_[c]) - sum * sum / pixels_};
    }
    return part;
  }

 private:
  void addTile(const float* rows) {
    for (size_t c = 0; c < sums_.size(); ++c, rows += kTile) {
      const Vec pivot = splat(pivots_[c]);
      Vec sum = sums_[c], square = squares_[c];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vec x = load(rows + v * kLanes) - pivot;
        sum += x;
        square += x * x;
      }
      sums_[c] = sum;
      squares_[c] = square;
    }
  }

  void addLanes(const float* rows, int first, int last) {
    for (size_t c = 0; c < sums_.size(); ++c, rows += kTile)
      for (int i = first; i < last; ++i) {
        const float x = rows[i] - pivots_[c];
        sums_[c][i % kLanes] += x;
        squares_[c][i % kLanes] += x * x;
      }
  }

  int pixels_ = 0;
  std::vector<float> pivots_;
  std::vector<Vec> sums_, squares_;
};

/** Gathers a normalisation's sums of g and g·(x−μ) over a task's tiles. */
struct NormVectors {
  explicit NormVectors(int channels) : gradient(channels), product(channels) {}
  std::vector<Vec> gradient, product;

  std::vector<NormSums> sums() const {
    std::vector<NormSums> list(gradient.size());
    for (size_t c = 0; c < list.size(); ++c) list[c] = {sumLanes(gradient[c]), sumLanes(product[c])};
    return list;
  }
};

/** The gradient of a map's channels in one tile, deferred terms applied, 0 in lanes without a pixel: [channels][kTile]. */
inline void loadGradient(const FeatureMap& map, int first, const GradientTerms& terms, int tile, float* to) {
  const int channels = static_cast<int>(terms.offset.size());
  const float* gradient = map.gradientTile(tile) + first * kTile;
  const float* data = map.tile(tile) + first * kTile;
  const TileMask mask(0, map.lanes(tile));
  for (int c = 0; c < channels; ++c, gradient += kTile, data += kTile, to += kTile) {
    const Vec offset = splat(terms.offset[c]), slope = splat(terms.slope[c]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int at = v * kLanes;
      store(to + at, keep(mask.vectors[v], load(gradient + at) + (load(data + at) * slope + offset)));
    }
  }
}

/** Turns a tile [channels][kTile] into [kTile][padded]; channels beyond the last become 0. padded % kLanes = 0. */
inline void transposeRows(const float* rows, int channels, float* to, int padded) {
  for (int c = 0; c < padded; c += kLanes)
    for (int v = 0; v < kVectors; ++v) {
      Vec square[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        square[i] = c + i < channels ? load(rows + (c + i) * kTile + v * kLanes) : Vec{};
      transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(to + (v * kLanes + i) * padded + c, square[i]);
    }
}

inline int roundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace densenet
