// Transposes a square of vectors in registers.
#pragma once

#include <utility>

#include "vector.h"

namespace densenet {

/** Exchanges the blocks of `D` lanes off the diagonal of a pair of vectors (one step of a butterfly). */
template <int D, int... J>
DENSENET_INLINE void exchange(Vec& a, Vec& b, std::integer_sequence<int, J...>) {
#if defined(__clang__)
  const Vec low = __builtin_shufflevector(a, b, ((J & D) == 0 ? J : J - D + kLanes)...);
  const Vec high = __builtin_shufflevector(a, b, ((J & D) == 0 ? J + D : J + kLanes)...);
#else
  const Vec low = __builtin_shuffle(a, b, IntVec{((J & D) == 0 ? J : J - D + kLanes)...});
  const Vec high = __builtin_shuffle(a, b, IntVec{((J & D) == 0 ? J + D : J + kLanes)...});
#endif
  a = low;
  b = high;
}

template <int D>
DENSENET_INLINE void transposeSteps(Vec (&v)[kLanes]) {
  if constexpr (D < kLanes) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i)
      if ((i & D) == 0) exchange<D>(v[i], v[i + D], std::make_integer_sequence<int, kLanes>{});
    transposeSteps<2 * D>(v);
  }
}

/** v[i][j] ↔ v[j][i]. */
DENSENET_INLINE void transpose(Vec (&v)[kLanes]) { transposeSteps<1>(v); }

}  // namespace densenet
