// Winograd's 3×3 convolution F(4×N, 3×3), N = 2 or 4: 24 or 36 multiplications where the definition has 72 or 144.
//
// The image is cut into tiles of 4 rows and N columns of outputs. With d a tile's window of the padded input, 6 rows
// and N+2 columns, and w the weights,
//
//     y = A₄ᵀ [ (G₄ w G_Nᵀ) ⊙ (B₄ᵀ d B_N) ] A_N
//
// so that each element, here called a frequency, is a matrix product over channels for all tiles at once. The gradient
// of the data is another such convolution; that of the weights is the transpose, summed over tiles:
//
//     dw = G₄ᵀ [ (A₄ dy A_Nᵀ) ⊙ (B₄ᵀ d B_N) ] G_N
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4.
#pragma once

#include <cstddef>

#include "products.h"
#include "shuffles.h"

namespace densenet {

/** The matrices of one dimension with N outputs. */
template <int N>
struct Winograd;

/** The points 0, ±1 and ∞. */
template <>
struct Winograd<2> {
  static constexpr int kWindow = 4;
  /** Bᵀ d. */
  static DENSENET_INLINE void input(const Vec (&d)[4], Vec (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  /** Aᵀ m. */
  static DENSENET_INLINE void output(const Vec (&m)[4], Vec (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  /** A dy. */
  static DENSENET_INLINE void gradient(const Vec (&dy)[2], Vec (&t)[4]) {
    t[0] = dy[0];
    t[1] = dy[0] + dy[1];
    t[2] = dy[0] - dy[1];
    t[3] = -dy[1];
  }
  /** G w, in double precision: the rounding of weights would be a third of all error. */
  static DENSENET_INLINE void weights(const DoubleVec (&w)[3], DoubleVec (&t)[4]) {
    const DoubleVec outer = w[0] + w[2];
    t[0] = w[0];
    t[1] = (outer + w[1]) * 0.5;
    t[2] = (outer - w[1]) * 0.5;
    t[3] = w[2];
  }
  /** Gᵀ u. */
  static DENSENET_INLINE void weightGradient(const Vec (&u)[4], Vec (&w)[3]) {
    const Vec half = splat(0.5f), sum = half * (u[1] + u[2]);
    w[0] = u[0] + sum;
    w[1] = half * (u[1] - u[2]);
    w[2] = u[3] + sum;
  }
};

/** The points 0, ±a, ±b and ∞, which round less than 0, ±1, ±2 and ∞. B and A are exact in binary. */
template <>
struct Winograd<4> {
  static constexpr int kWindow = 6;
  static constexpr double a = 5.0 / 8, b = 3.0 / 2, aa = a * a, bb = b * b, kProduct = aa * bb, kSum = aa + bb;
  /** Of the rows of G. */
  static constexpr double kFactor0 = 1 / kProduct, kFactorA = 0.5 / (aa * (aa - bb)), kFactorB = 0.5 / (bb * (bb - aa));

  static DENSENET_INLINE Vec times(double factor, Vec x) { return splat(static_cast<float>(factor)) * x; }

  static DENSENET_INLINE void input(const Vec (&d)[6], Vec (&t)[6]) {
    t[0] = (d[4] - times(kSum, d[2])) + times(kProduct, d[0]);
    const Vec evenA = d[4] - times(bb, d[2]), oddA = d[3] - times(bb, d[1]);
    t[1] = evenA + times(a, oddA);
    t[2] = evenA - times(a, oddA);
    const Vec evenB = d[4] - times(aa, d[2]), oddB = d[3] - times(aa, d[1]);
    t[3] = evenB + times(b, oddB);
    t[4] = evenB - times(b, oddB);
    t[5] = (d[5] - times(kSum, d[3])) + times(kProduct, d[1]);
  }
  static DENSENET_INLINE void output(const Vec (&m)[6], Vec (&y)[4]) {
    const Vec sumA = m[1] + m[2], differenceA = m[1] - m[2], sumB = m[3] + m[4], differenceB = m[3] - m[4];
    y[0] = m[0] + sumA + sumB;
    y[1] = times(a, differenceA) + times(b, differenceB);
    y[2] = times(aa, sumA) + times(bb, sumB);
    y[3] = m[5] + times(a * aa, differenceA) + times(b * bb, differenceB);
  }
  static DENSENET_INLINE void gradient(const Vec (&dy)[4], Vec (&t)[6]) {
    t[0] = dy[0];
    const Vec evenA = dy[0] + times(aa, dy[2]), oddA = dy[1] + times(aa, dy[3]);
    t[1] = evenA + times(a, oddA);
    t[2] = evenA - times(a, oddA);
    const Vec evenB = dy[0] + times(bb, dy[2]), oddB = dy[1] + times(bb, dy[3]);
    t[3] = evenB + times(b, oddB);
    t[4] = evenB - times(b, oddB);
    t[5] = dy[3];
  }
  static DENSENET_INLINE void weights(const DoubleVec (&w)[3], DoubleVec (&t)[6]) {
    t[0] = w[0] * kFactor0;
    const DoubleVec evenA = (w[0] + w[2] * aa) * kFactorA, oddA = w[1] * (kFactorA * a);
    t[1] = evenA + oddA;
    t[2] = evenA - oddA;
    const DoubleVec evenB = (w[0] + w[2] * bb) * kFactorB, oddB = w[1] * (kFactorB * b);
    t[3] = evenB + oddB;
    t[4] = evenB - oddB;
    t[5] = w[2];
  }
  static DENSENET_INLINE void weightGradient(const Vec (&u)[6], Vec (&w)[3]) {
    const Vec sumA = times(kFactorA, u[1] + u[2]), differenceA = times(a * kFactorA, u[1] - u[2]);
    const Vec sumB = times(kFactorB, u[3] + u[4]), differenceB = times(b * kFactorB, u[3] - u[4]);
    w[0] = times(kFactor0, u[0]) + sumA + sumB;
    w[1] = differenceA + differenceB;
    w[2] = times(aa, sumA) + times(bb, sumB) + u[5];
  }
};

/** Rows of outputs of a tile, and of its window. */
constexpr int kTileHeight = 4, kWindowHeight = Winograd<kTileHeight>::kWindow;
template <int N>
constexpr int kWindowWidth = Winograd<N>::kWindow;
template <int N>
constexpr int kFrequencies = kWindowHeight * kWindowWidth<N>;

// Transformed tiles are stored [channel][block of kTile tiles][frequency][tile of the block]: written in one stretch,
// and read by the products a line at a time.
template <int N>
constexpr int kBlockFloats = kFrequencies<N> * kTile;

/**
 * The vertical half of a transform: `width` pixels of each row to kWindowHeight rows `size` floats apart, in whole
 * vectors, with 0 after the last pixel.
 */
template <int kInputs, class F>
DENSENET_INLINE void transformRows(const float* const (&rows)[kInputs], int width, IntVec lastMask, float* to,
                                   ptrdiff_t size, F&& transform) {
  for (int x = 0; x < width; x += kLanes, to += kLanes) {
    Vec d[kInputs], t[kWindowHeight];
#pragma GCC unroll 6
    for (int i = 0; i < kInputs; ++i) d[i] = load(rows[i] + x);
    transform(d, t);
#pragma GCC unroll 6
    for (int i = 0; i < kWindowHeight; ++i) store(to + i * size, x + kLanes > width ? keep(lastMask, t[i]) : t[i]);
  }
}

/**
 * The horizontal half: kLanes tiles, which lie at N places of kWindowHeight rows `size` floats apart; frequency f to
 * to[f·kTile].
 */
template <int N>
DENSENET_INLINE void transformWindows(const float* from, const int* places, ptrdiff_t size, float* to) {
#pragma GCC unroll 6
  for (int a = 0; a < kWindowHeight; ++a, from += size) {
    Vec left[N], right[N], d[N + 2], t[N + 2];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      left[i] = load(from + places[i] - 1);
      right[i] = load(from + places[i] + N - 1);
    }
    deal(left);
    deal(right);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) d[i] = left[i];
    d[N] = right[0];
    d[N + 1] = right[1];
    Winograd<N>::input(d, t);
#pragma GCC unroll 6
    for (int b = 0; b < N + 2; ++b) store(to + (a * (N + 2) + b) * kTile, t[b]);
  }
}

/** The same for the gradients of the tiles' own pixels. */
template <int N>
DENSENET_INLINE void transformGradients(const float* from, const int* places, ptrdiff_t size, float* to) {
#pragma GCC unroll 6
  for (int a = 0; a < kWindowHeight; ++a, from += size) {
    Vec own[N], t[N + 2];
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) own[i] = load(from + places[i]);
    deal(own);
    Winograd<N>::gradient(own, t);
#pragma GCC unroll 6
    for (int b = 0; b < N + 2; ++b) store(to + (a * (N + 2) + b) * kTile, t[b]);
  }
}

/** Aᵀ m A of kLanes tiles, frequency f at from[f·kTile], to kTileHeight rows `stride` floats apart from N places on. */
template <int N>
DENSENET_INLINE void transformOutputs(const float* from, float* to, const int* places, ptrdiff_t stride) {
  Vec columns[N][kWindowHeight], rows[kTileHeight][N];
#pragma GCC unroll 6
  for (int a = 0; a < kWindowHeight; ++a) {
    Vec m[N + 2], y[N];
#pragma GCC unroll 6
    for (int b = 0; b < N + 2; ++b) m[b] = load(from + (a * (N + 2) + b) * kTile);
    Winograd<N>::output(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) columns[i][a] = y[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    Vec y[kTileHeight];
    Winograd<kTileHeight>::output(columns[i], y);
#pragma GCC unroll 4
    for (int r = 0; r < kTileHeight; ++r) rows[r][i] = y[r];
  }
#pragma GCC unroll 4
  for (int r = 0; r < kTileHeight; ++r) {
    gather(rows[r]);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) store(to + places[i] + r * stride, rows[r][i]);
  }
}

/**
 * Bᵀ d B of `tiles` windows side by side, with channels in the lanes: from pixels [kWindowHeight rows, `rowStride`
 * apart][column][kTile] to to[places[tile] + f·kTile]. `working`: kWindowHeight · kLanes floats a column.
 */
template <int N>
DENSENET_INLINE void transformChannels(const float* pixels, ptrdiff_t rowStride, int tiles, float* working, float* to,
                                       const int* places) {
  const ptrdiff_t size = static_cast<ptrdiff_t>(N * tiles + 2) * kLanes;
  for (int x = 0; x < N * tiles + 2; ++x, pixels += kTile) {
    Vec d[kWindowHeight], t[kWindowHeight];
#pragma GCC unroll 6
    for (int a = 0; a < kWindowHeight; ++a) d[a] = load(pixels + a * rowStride);
    Winograd<kTileHeight>::input(d, t);
#pragma GCC unroll 6
    for (int a = 0; a < kWindowHeight; ++a) store(working + a * size + x * kLanes, t[a]);
  }
  for (int a = 0; a < kWindowHeight; ++a, working += size, to += (N + 2) * kTile) {
    const float* from = working;
    Vec d[N + 2], t[N + 2];
    d[N] = load(from);
    d[N + 1] = load(from + kLanes);
    for (int i = 0; i < tiles; ++i, from += N * kLanes) {
      d[0] = d[N];
      d[1] = d[N + 1];
#pragma GCC unroll 4
      for (int b = 2; b < N + 2; ++b) d[b] = load(from + b * kLanes);
      Winograd<N>::input(d, t);
#pragma GCC unroll 6
      for (int b = 0; b < N + 2; ++b) store(to + places[i] + b * kTile, t[b]);
    }
  }
}

/** G w Gᵀ of kLanes filters, [tap], frequency f to to[f·step]. */
template <int N>
DENSENET_INLINE void transformWeights(const DoubleVec (&w)[9], float* to, ptrdiff_t step) {
  DoubleVec columns[3][kWindowHeight];
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) Winograd<kTileHeight>::weights({w[x], w[3 + x], w[6 + x]}, columns[x]);
#pragma GCC unroll 6
  for (int a = 0; a < kWindowHeight; ++a) {
    DoubleVec t[N + 2];
    Winograd<N>::weights({columns[0][a], columns[1][a], columns[2][a]}, t);
#pragma GCC unroll 6
    for (int b = 0; b < N + 2; ++b) store(to + (a * (N + 2) + b) * step, __builtin_convertvector(t[b], Vec));
  }
}

/** Adds Gᵀ u G of kLanes pairs of channels: u[f·step] to the nine taps, `tapStep` apart. */
template <int N>
DENSENET_INLINE void addWeightGradient(const float* u, ptrdiff_t step, float* to, ptrdiff_t tapStep) {
  Vec columns[3][kWindowHeight];
#pragma GCC unroll 6
  for (int a = 0; a < kWindowHeight; ++a) {
    Vec row[N + 2], w[3];
#pragma GCC unroll 6
    for (int b = 0; b < N + 2; ++b) row[b] = load(u + (a * (N + 2) + b) * step);
    Winograd<N>::weightGradient(row, w);
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x) columns[x][a] = w[x];
  }
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) {
    Vec w[3];
    Winograd<kTileHeight>::weightGradient(columns[x], w);
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) {
      float* tap = to + (3 * y + x) * tapStep;
      store(tap, load(tap) + w[y]);
    }
  }
}

}  // namespace densenet
