// Deals lanes out among vectors. Lanes move within quads (four neighbours) only, which the processor does cheapest.
#pragma once

#include <utility>

#include "vector.h"

namespace densenet {

/** Lane l of the result is lane kPick(l) of a, or of b from kLanes on. */
template <int (*kPick)(int), int... L>
DENSENET_INLINE Vec shuffle(Vec a, Vec b, std::integer_sequence<int, L...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, kPick(L)...);
#else
  return __builtin_shuffle(a, b, IntVec{kPick(L)...});
#endif
}

template <int (*kPick)(int)>
DENSENET_INLINE Vec shuffle(Vec a, Vec b) {
  return shuffle<kPick>(a, b, std::make_integer_sequence<int, kLanes>{});
}

// In each quad: a0 a2 b0 b2, a1 a3 b1 b3, a0 b0 a1 b1, a2 b2 a3 b3, a0 a1 b0 b1, a2 a3 b2 b3.
constexpr int evenLanes(int l) { return l / 4 * 4 + l % 2 * 2 + l % 4 / 2 * kLanes; }
constexpr int oddLanes(int l) { return evenLanes(l) + 1; }
constexpr int lowLanes(int l) { return l / 4 * 4 + l % 4 / 2 + l % 2 * kLanes; }
constexpr int highLanes(int l) { return lowLanes(l) + 2; }
constexpr int lowPairs(int l) { return l / 4 * 4 + l % 2 + l % 4 / 2 * kLanes; }
constexpr int highPairs(int l) { return lowPairs(l) + 2; }

/**
 * Deals N vectors of neighbouring pixels out by their place modulo N: v[i] then holds pixel i of each run of N. Run j
 * of vector s comes to lane dealtLane<N>(s, j).
 */
DENSENET_INLINE void deal(Vec (&v)[2]) {
  const Vec even = shuffle<evenLanes>(v[0], v[1]), odd = shuffle<oddLanes>(v[0], v[1]);
  v[0] = even;
  v[1] = odd;
}
DENSENET_INLINE void deal(Vec (&v)[4]) {
  const Vec low01 = shuffle<lowLanes>(v[0], v[1]), high01 = shuffle<highLanes>(v[0], v[1]);
  const Vec low23 = shuffle<lowLanes>(v[2], v[3]), high23 = shuffle<highLanes>(v[2], v[3]);
  v[0] = shuffle<lowPairs>(low01, low23);
  v[1] = shuffle<highPairs>(low01, low23);
  v[2] = shuffle<lowPairs>(high01, high23);
  v[3] = shuffle<highPairs>(high01, high23);
}

template <int N>
constexpr int dealtLane(int s, int j) {
  constexpr int kRuns = 4 / N;  // of a quad of pixels
  return j / kRuns * 4 + s * kRuns + j % kRuns;
}

/** Undoes deal. */
DENSENET_INLINE void gather(Vec (&v)[2]) {
  const Vec low = shuffle<lowLanes>(v[0], v[1]), high = shuffle<highLanes>(v[0], v[1]);
  v[0] = low;
  v[1] = high;
}
DENSENET_INLINE void gather(Vec (&v)[4]) { deal(v); }

}  // namespace densenet
