// Winograd's 3×3 convolution F(2×2, 3×3): 16 multiplications where the definition has 36.
//
// The image is cut into tiles of 2×2 outputs. With d a tile's 4×4 window of the padded input and w the weights,
//
//     y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A
//
// so that each of the 16 elements, here called frequencies, is a matrix product over channels for all tiles at once.
// The gradient of the weights is its transpose: Gᵀ [ (A dy Aᵀ) ⊙ (Bᵀ d B) ] G, summed over tiles.
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4.1.
#pragma once

#include <cstddef>

#include "products.h"

namespace densenet {

constexpr int kFrequencies = 16;

// Transformed tiles are stored [channel][block of kTile tiles][frequency][tile of the block]: written in one stretch,
// and read by the products a line at a time.
constexpr int kBlockFloats = kFrequencies * kTile;

/** Lanes 0, 2, 4, … of a and b; `kOdd`: lanes 1, 3, 5, …. */
template <bool kOdd, int... J>
DENSENET_INLINE Vec everySecond(Vec a, Vec b, std::integer_sequence<int, J...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, (2 * J + kOdd)...);
#else
  return __builtin_shuffle(a, b, IntVec{(2 * J + kOdd)...});
#endif
}

/** a0 b0 a1 b1 …, from the lower half of the lanes or the upper. */
template <bool kUpper, int... J>
DENSENET_INLINE Vec alternate(Vec a, Vec b, std::integer_sequence<int, J...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, ((kUpper ? kLanes / 2 : 0) + J / 2 + J % 2 * kLanes)...);
#else
  return __builtin_shuffle(a, b, IntVec{((kUpper ? kLanes / 2 : 0) + J / 2 + J % 2 * kLanes)...});
#endif
}

using LaneNumbers = std::make_integer_sequence<int, kLanes>;

/** Bᵀ d. */
DENSENET_INLINE void transformInput(const Vec (&d)[4], Vec (&t)[4]) {
  t[0] = d[0] - d[2];
  t[1] = d[1] + d[2];
  t[2] = d[2] - d[1];
  t[3] = d[1] - d[3];
}

/**
 * What rows of pixels become before windows are made of them: d B of each row and tile. It lies in kPlanes planes for
 * rows with an even number in the padded image, and as many for odd ones, `size` floats apart, with rows `stride`
 * floats apart. Two more planes than columns of B hold the tile's own pixels, for gradients.
 */
struct RowPlanes {
  static constexpr int kPlanes = 6;
  ptrdiff_t size, stride;

  /** Vector of plane `plane`, row a of the windows whose first rows lie at `first`. */
  DENSENET_INLINE Vec row(const float* first, int a, int plane) const {
    return load(first + (a % 2 * kPlanes + plane) * size + a / 2 * stride);
  }
};

/** Columns 0, 2 and 3 of the windows that lie in the image, for kLanes tiles of a row. Column 1 always does. */
struct ColumnMasks {
  IntVec first, third, fourth;
};

/**
 * Writes d B of one row of pixels to planes `size` floats apart; `kOwn`: the tiles' own pixels too. `vectors` of tiles
 * have masks. Reads two floats before the row and up to 2·kLanes + 2 after it; may write a vector after the tiles.
 */
template <bool kOwn>
DENSENET_INLINE void transformRow(const float* pixels, const ColumnMasks* masks, int vectors, float* to,
                                  ptrdiff_t size) {
  for (int i = 0; i < vectors; ++i, pixels += 2 * kLanes, to += kLanes) {
    const Vec a = load(pixels), b = load(pixels + kLanes);
    const Vec before = everySecond<true>(load(pixels - 2), load(pixels + kLanes - 2), LaneNumbers{});
    const Vec after = everySecond<false>(load(pixels + 2), load(pixels + kLanes + 2), LaneNumbers{});
    const Vec d[4] = {keep(masks[i].first, before), everySecond<false>(a, b, LaneNumbers{}),
                      keep(masks[i].third, everySecond<true>(a, b, LaneNumbers{})), keep(masks[i].fourth, after)};
    Vec t[4];
    transformInput(d, t);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) store(to + j * size, t[j]);
    if (!kOwn) continue;
    store(to + 4 * size, d[1]);
    store(to + 5 * size, d[2]);
  }
}

/** The same of a row of zeros. */
template <bool kOwn>
DENSENET_INLINE void clearRow(int vectors, float* to, ptrdiff_t size) {
  for (int i = 0; i < vectors; ++i, to += kLanes)
#pragma GCC unroll 6
    for (int j = 0; j < (kOwn ? 6 : 4); ++j) store(to + j * size, Vec{});
}

/** Bᵀ (d B) of kLanes windows side by side, frequency f to to[f·kTile]. */
DENSENET_INLINE void transformColumns(const RowPlanes& planes, const float* first, float* to) {
#pragma GCC unroll 4
  for (int b = 0; b < 4; ++b) {
    const Vec d[4] = {planes.row(first, 0, b), planes.row(first, 1, b), planes.row(first, 2, b),
                      planes.row(first, 3, b)};
    Vec t[4];
    transformInput(d, t);
#pragma GCC unroll 4
    for (int a = 0; a < 4; ++a) store(to + (4 * a + b) * kTile, t[a]);
  }
}

/** A dy Aᵀ of kLanes tiles side by side, the 2×2 pixels in the middle of their windows; frequency f to to[f·kTile]. */
DENSENET_INLINE void transformGradients(const RowPlanes& planes, const float* first, float* to) {
  constexpr int kLeft = 4, kSum = 1, kDifference = 2, kRight = 5;  // left, left + right, right − left, right
#pragma GCC unroll 4
  for (int b = 0; b < 4; ++b) {
    const int plane = b == 0 ? kLeft : b == 1 ? kSum : b == 2 ? kDifference : kRight;
    Vec upper = planes.row(first, 1, plane), lower = planes.row(first, 2, plane);
    if (b >= 2) {
      upper = -upper;
      lower = -lower;
    }
    store(to + b * kTile, upper);
    store(to + (4 + b) * kTile, upper + lower);
    store(to + (8 + b) * kTile, upper - lower);
    store(to + (12 + b) * kTile, -lower);
  }
}

/**
 * Aᵀ m A of kLanes tiles side by side, frequency f at from[f·kTile]: the pixels at the upper left, upper right, lower
 * left and lower right of the tiles, to arrays `size` floats apart.
 */
DENSENET_INLINE void transformOutputs(const float* from, float* to, ptrdiff_t size) {
  Vec columns[4][2];
#pragma GCC unroll 4
  for (int b = 0; b < 4; ++b) {
    const Vec m0 = load(from + b * kTile), m1 = load(from + (4 + b) * kTile), m2 = load(from + (8 + b) * kTile),
              m3 = load(from + (12 + b) * kTile);
    columns[b][0] = m0 + m1 + m2;
    columns[b][1] = m1 - m2 - m3;
  }
#pragma GCC unroll 2
  for (int a = 0; a < 2; ++a) {
    store(to + 2 * a * size, columns[0][a] + columns[1][a] + columns[2][a]);
    store(to + (2 * a + 1) * size, columns[1][a] - columns[2][a] - columns[3][a]);
  }
}

/** left0 right0 left1 right1 …, `tiles` pairs, in whole vectors. */
DENSENET_INLINE void interleave(const float* left, const float* right, int tiles, float* to) {
  for (int x = 0; x < tiles; x += kLanes) {
    const Vec a = load(left + x), b = load(right + x);
    store(to + 2 * x, alternate<false>(a, b, LaneNumbers{}));
    store(to + 2 * x + kLanes, alternate<true>(a, b, LaneNumbers{}));
  }
}

/**
 * Bᵀ d B of `tiles` windows in a row, with channels in the lanes: pixels [4 rows, `rowStride` apart][column][kTile] to
 * [tile, `step` apart][frequency][kTile].
 */
DENSENET_INLINE void transformChannels(const float* pixels, ptrdiff_t rowStride, int tiles, float* to, ptrdiff_t step) {
  const auto column = [&](const float* from, Vec(&t)[4]) {
    const Vec d[4] = {load(from), load(from + rowStride), load(from + 2 * rowStride), load(from + 3 * rowStride)};
    transformInput(d, t);
  };
  Vec c0[4], c1[4];
  column(pixels, c0);
  column(pixels + kTile, c1);
  for (int i = 0; i < tiles; ++i, to += step) {
    pixels += 2 * kTile;
    Vec c2[4], c3[4];
    column(pixels, c2);
    column(pixels + kTile, c3);
#pragma GCC unroll 4
    for (int a = 0; a < 4; ++a) {
      const Vec row[4] = {c0[a], c1[a], c2[a], c3[a]};
      Vec t[4];
      transformInput(row, t);
#pragma GCC unroll 4
      for (int b = 0; b < 4; ++b) store(to + (4 * a + b) * kTile, t[b]);
      c0[a] = c2[a];
      c1[a] = c3[a];
    }
  }
}

/** G w Gᵀ: weights [3][3] to [16]. */
inline void transformWeights(const float* w, float* to) {
  float columns[3][4];
  for (int x = 0; x < 3; ++x) {
    const float outer = w[x] + w[6 + x], middle = w[3 + x];
    columns[x][0] = w[x];
    columns[x][1] = 0.5f * (outer + middle);
    columns[x][2] = 0.5f * (outer - middle);
    columns[x][3] = w[6 + x];
  }
  for (int a = 0; a < 4; ++a) {
    const float outer = columns[0][a] + columns[2][a], middle = columns[1][a];
    to[4 * a] = columns[0][a];
    to[4 * a + 1] = 0.5f * (outer + middle);
    to[4 * a + 2] = 0.5f * (outer - middle);
    to[4 * a + 3] = columns[2][a];
  }
}

/** The frequency of the weights turned by 180° that equals frequency f of the weights: G's outer rows change places. */
constexpr int turnedFrequency(int f) {
  constexpr int kTurned[4] = {3, 1, 2, 0};
  return 4 * kTurned[f / 4] + kTurned[f % 4];
}

/** Gᵀ u G of kLanes pairs of channels: u[f·step] to the nine taps, `tapStep` apart. */
DENSENET_INLINE void transformWeightGradients(const float* u, ptrdiff_t step, float* to, ptrdiff_t tapStep) {
  const Vec half = splat(0.5f);
  Vec columns[4][3];
#pragma GCC unroll 4
  for (int b = 0; b < 4; ++b) {
    const Vec u1 = load(u + (4 + b) * step), u2 = load(u + (8 + b) * step), sum = half * (u1 + u2);
    columns[b][0] = load(u + b * step) + sum;
    columns[b][1] = half * (u1 - u2);
    columns[b][2] = load(u + (12 + b) * step) + sum;
  }
#pragma GCC unroll 3
  for (int y = 0; y < 3; ++y) {
    const Vec sum = half * (columns[1][y] + columns[2][y]);
    store(to + 3 * y * tapStep, columns[0][y] + sum);
    store(to + (3 * y + 1) * tapStep, half * (columns[1][y] - columns[2][y]));
    store(to + (3 * y + 2) * tapStep, columns[3][y] + sum);
  }
}

}  // namespace densenet
