// Element-wise work on tiles [channels][kTile], shared by the layers.
#pragma once

#include <vector>

#include "../feature_map.h"
#include "../norm.h"
#include "../kernels/operands.h"
#include "../kernels/transpose.h"

namespace densenet {

/** A vector of max(0, scale[c]·from[c] + shift[c]), the words of `terms` neighbouring channels c = 0, … */
template <class Operand>
DENSENET_INLINE Vec normalizedWords(const float* from, int terms, const float* scale, const float* shift) {
  return Operand::words([&](int t) {
    return t < terms ? relu(load(from + t * kTile) * splat(scale[t]) + splat(shift[t])) : Vec{};
  });
}

/** Batch normalisation and ReLU, [channels][kTile] → [words][kTile]. */
template <class Operand>
inline void normalizeRows(const float* from, int channels, const float* scale, const float* shift, float* to) {
  constexpr int kTerms = Operand::kTerms;
  for (int c = 0; c < channels; c += kTerms, from += kTerms * kTile, to += kTile) {
    const int terms = std::min(kTerms, channels - c);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      store(to + v * kLanes, normalizedWords<Operand>(from + v * kLanes, terms, scale + c, shift + c));
  }
}

/** Words of neighbouring channels, [channels][kTile] → [words][kTile]. Works in place. */
template <class Operand>
inline void packChannels(const float* from, int channels, float* to) {
  constexpr int kTerms = Operand::kTerms;
  for (int c = 0; c < channels; c += kTerms, from += kTerms * kTile, to += kTile) {
    const int terms = std::min(kTerms, channels - c);
    for (int v = 0; v < kVectors; ++v)
      store(to + v * kLanes,
            Operand::words([&](int t) { return t < terms ? load(from + t * kTile + v * kLanes) : Vec{}; }));
  }
}

/** Words of a tile's pixels, kTileWords per channel. The terms of a word are kTileWords pixels apart. */
template <class Operand>
constexpr int kTileWords = kTile / Operand::kTerms;

/** Vector v of the words of one channel of a tile. */
template <class Operand>
DENSENET_INLINE Vec pixelWords(const float* row, int v) {
  static_assert(kVectors % Operand::kTerms == 0, "a word's terms come from different vectors");
  return Operand::words([&](int t) { return load(row + t * kTileWords<Operand> + v * kLanes); });
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

/** Words of a tile's pixels, [channels][kTile] → [channels][kTileWords]. Works in place. */
template <class Operand>
inline void packPixels(const float* from, int channels, float* to) {
  for (int c = 0; c < channels; ++c, from += kTile, to += kTileWords<Operand>)
    for (int v = 0; v < kTileWords<Operand> / kLanes; ++v) store(to + v * kLanes, pixelWords<Operand>(from, v));
}

/**
 * The gradient of a map's channels in one tile, deferred terms applied, 0 in lanes without a pixel: [channels][kTile].
 */
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

/**
 * Turns a tile [channels][kTile] into words of its pixels [kTileWords][padded]; channels beyond the last become 0.
 * padded % kLanes = 0.
 */
template <class Operand>
inline void transposeRows(const float* rows, int channels, float* to, int padded) {
  for (int c = 0; c < padded; c += kLanes)
    for (int v = 0; v < kTileWords<Operand> / kLanes; ++v) {
      Vec square[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        square[i] = c + i < channels ? pixelWords<Operand>(rows + (c + i) * kTile, v) : Vec{};
      transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(to + (v * kLanes + i) * padded + c, square[i]);
    }
}

}  // namespace densenet
