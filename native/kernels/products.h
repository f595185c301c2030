// Register-blocked products: the inner loops of every convolution.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "operands.h"

namespace densenet {

inline int roundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

/** Splits `total` things into `count` runs whose lengths differ by at most one. */
struct Split {
  int total, count;
  static Split into(int total, int largest) { return {total, (total + largest - 1) / largest}; }
  int start(int i) const { return static_cast<int>(static_cast<int64_t>(total) * i / count); }
  int size(int i) const { return start(i + 1) - start(i); }
};

/** A split with its starts at hand, for inner loops that have no time to divide. */
class Runs {
 public:
  explicit Runs(const Split& split) {
    for (int i = 0; i <= split.count; ++i) starts_.push_back(split.start(i));
  }
  int count() const { return static_cast<int>(starts_.size()) - 1; }
  int start(int i) const { return starts_[i]; }
  int size(int i) const { return starts_[i + 1] - starts_[i]; }

 private:
  std::vector<int> starts_;
};

/** Calls f with `rows` (1 … kRows) as a compile-time constant. */
template <int M = kRows, class F>
DENSENET_INLINE void withRows(int rows, F&& f) {
  if constexpr (M >= 1) {
    if (rows == M)
      f(std::integral_constant<int, M>{});
    else
      withRows<M - 1>(rows, f);
  }
}

/** Calls f with `vectors` (1 … kVectors) as a compile-time constant. */
template <int V = kVectors, class F>
DENSENET_INLINE void withVectors(int vectors, F&& f) {
  if constexpr (V >= 1) {
    if (vectors == V)
      f(std::integral_constant<int, V>{});
    else
      withVectors<V - 1>(vectors, f);
  }
}

template <int M, int V = kVectors>
struct Block {
  Vec v[M][V];
};

template <int M, int V>
DENSENET_INLINE void clear(Block<M, V>& block) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) block.v[m][i] = Vec{};
}

/** Reads rows `stride` floats apart. */
template <int M, int V>
DENSENET_INLINE void read(Block<M, V>& block, const float* from, ptrdiff_t stride) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) block.v[m][i] = load(from + m * stride + i * kLanes);
}

/** Adds what lies there. */
template <int M, int V>
DENSENET_INLINE void add(Block<M, V>& block, const float* from, ptrdiff_t stride) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) block.v[m][i] += load(from + m * stride + i * kLanes);
}

template <int M, int V>
DENSENET_INLINE void write(const Block<M, V>& block, float* to, ptrdiff_t stride) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) store(to + m * stride + i * kLanes, block.v[m][i]);
}

/** Reads and writes rows `stride` floats apart, vector i of a row at offsets[i]. */
template <int M>
DENSENET_INLINE void readAt(Block<M>& block, const float* from, ptrdiff_t stride, const int* offsets) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) block.v[m][i] = load(from + m * stride + offsets[i]);
}

template <int M>
DENSENET_INLINE void writeAt(const Block<M>& block, float* to, ptrdiff_t stride, const int* offsets) {
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) store(to + m * stride + offsets[i], block.v[m][i]);
}

/**
 * block[m] += Σ_j weights[j][m] · panel[j], for words of weights [depth][M] and a panel of pixels [depth][kTile], whose
 * rows are `stride` words apart.
 */
template <class Operand = Single, int M>
DENSENET_INLINE void multiplyPanel(Block<M>& block, int depth, const float* weights, const float* panel,
                                   ptrdiff_t stride = kTile) {
  for (int j = 0; j < depth; ++j, weights += M, panel += stride) {
    Vec x[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) x[i] = load(panel + i * kLanes);
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      const Vec w = Operand::spread(weights[m]);
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) block.v[m][i] = Operand::multiplyAdd(block.v[m][i], x[i], w);
    }
  }
}

/** Where the factors of a sum of outer products lie: `rows` runs of `length` steps, a word of terms each. */
struct OuterShape {
  int rows, length;
  /** Words from one broadcast factor to the next, and from one run to the next. */
  ptrdiff_t broadcastStride, broadcastRow;
  /** Words from one step of the vectors to the next, and from one run to the next. */
  ptrdiff_t vectorStep, vectorRow;
};

/** block[m] += Σ_{r,i} broadcast[m·stride + r·row + i] · vectors[r·row + i·step …]. */
template <class Operand = Single, int M, int V>
DENSENET_INLINE void addOuterProducts(Block<M, V>& block, const OuterShape& shape, const float* broadcast,
                                      const float* vectors) {
  const ptrdiff_t stride = shape.broadcastStride, step = shape.vectorStep;
  for (int r = 0; r < shape.rows; ++r) {
    const float* a = broadcast + r * shape.broadcastRow;
    const float* b = vectors + r * shape.vectorRow;
    for (int i = 0; i < shape.length; ++i, ++a, b += step) {
      Vec x[V];
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) x[j] = load(b + j * kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) {
        const Vec w = Operand::spread(a[m * stride]);
#pragma GCC unroll 4
        for (int j = 0; j < V; ++j) block.v[m][j] = Operand::multiplyAdd(block.v[m][j], x[j], w);
      }
    }
  }
}

/**
 * block[m][i] += Σ_{c,tap} weights[c][tap][m] · planes[c][offsets[i] + shift(tap)]: a 3×3 convolution at kVectors
 * positions of zero-padded planes of words whose rows are `stride` words apart. `planes` points at plane 0, `planeSize`
 * apart.
 */
template <class Operand = Single, int M>
DENSENET_INLINE void convolvePlanes(Block<M>& block, int depth, const float* weights, const float* planes,
                                    ptrdiff_t planeSize, ptrdiff_t stride, const int* offsets) {
  for (int c = 0; c < depth; ++c, planes += planeSize) {
#pragma GCC unroll 3
    for (int y = -1; y <= 1; ++y) {
      const float* row = planes + y * stride;
#pragma GCC unroll 3
      for (int x = -1; x <= 1; ++x, weights += M) {
        Vec pixels[kVectors];
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) pixels[i] = load(row + offsets[i] + x);
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m) {
          const Vec w = Operand::spread(weights[m]);
#pragma GCC unroll 4
          for (int i = 0; i < kVectors; ++i) block.v[m][i] = Operand::multiplyAdd(block.v[m][i], pixels[i], w);
        }
      }
    }
  }
}

/**
 * block[m][i] += Σ_{c,tap} weights[c][tap][m] · planes[c][offsets[i] + shifts[tap]], as convolvePlanes, for any `taps`
 * shifts.
 */
template <int M>
DENSENET_INLINE void convolveTaps(Block<M>& block, int depth, const float* weights, const float* planes,
                                  ptrdiff_t planeSize, const int* shifts, int taps, const int* offsets) {
  for (int c = 0; c < depth; ++c, planes += planeSize)
    for (int tap = 0; tap < taps; ++tap, weights += M) {
      const float* shifted = planes + shifts[tap];
      Vec pixels[kVectors];
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) pixels[i] = load(shifted + offsets[i]);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) {
        const Vec w = splat(weights[m]);
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) block.v[m][i] += pixels[i] * w;
      }
    }
}

}  // namespace densenet
