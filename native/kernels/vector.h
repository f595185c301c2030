// Vectors of single-precision numbers, in GCC and Clang's own types, as wide as the target allows.
#pragma once

#include <cstdint>

namespace densenet {

// A register block of a matrix product is kRows broadcast values times kVectors vectors: as many accumulators as
// leave room for the operands among 32 (AVX-512, Arm) or 16 (AVX2, SSE) registers.
//
// DENSENET_LANES chooses the lanes instead of the target; the compiler then makes a vector of several registers. It is
// how the tests run the layout of wider vectors than the processor has.
#if defined(DENSENET_LANES)
constexpr int kLanes = DENSENET_LANES, kVectors = 2, kRows = 12;
constexpr char kInstructions[] = "vectors of a chosen width";
#elif defined(__AVX512F__)
constexpr int kLanes = 16, kVectors = 2, kRows = 12;
constexpr char kInstructions[] = "AVX-512";
#elif defined(__AVX__)
constexpr int kLanes = 8, kVectors = 2, kRows = 6;
constexpr char kInstructions[] = "AVX2";
#elif defined(__aarch64__)
constexpr int kLanes = 4, kVectors = 4, kRows = 6;
constexpr char kInstructions[] = "NEON";
#else
constexpr int kLanes = 4, kVectors = 4, kRows = 3;
constexpr char kInstructions[] = "128-bit vectors";
#endif

/** Pixels side by side in memory: activations are stored as [tile][channel][kTile]. */
constexpr int kTile = kLanes * kVectors;

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef double DoubleVec __attribute__((vector_size(kLanes * 8)));
typedef int32_t IntVec __attribute__((vector_size(kLanes * 4)));
typedef uint32_t UintVec __attribute__((vector_size(kLanes * 4)));
typedef float UnalignedVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

#define DENSENET_INLINE inline __attribute__((always_inline))

DENSENET_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
DENSENET_INLINE void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
DENSENET_INLINE Vec splat(float s) { return s - Vec{}; }

/** max(0, x); a NaN stays a NaN, so that a diverged network shows in the loss. */
DENSENET_INLINE Vec relu(Vec x) {
#if defined(__AVX512F__) || !defined(__AVX__) || defined(DENSENET_LANES)
  return Vec{} > x ? Vec{} : x;
#else
  return __builtin_ia32_maxps256(Vec{}, x);
#endif
}

/** x where the mask is all ones, 0 where it is 0. */
DENSENET_INLINE Vec keep(IntVec mask, Vec x) { return reinterpret_cast<Vec>(mask & reinterpret_cast<IntVec>(x)); }

DENSENET_INLINE double sumLanes(Vec x) {
  double sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += x[i];
  return sum;
}

/** Asks for `floats` of memory that will be read, or written, a little later; into the second-level cache, to keep
 * the working set in the first. */
template <bool kWrite = false>
DENSENET_INLINE void prefetch(const float* from, int floats) {
  for (int i = 0; i < floats; i += 16) __builtin_prefetch(from + i, kWrite ? 1 : 0, 2);
}

/** The same, into the first-level cache: for short pieces that lie apart, which the processor does not foresee. */
template <bool kWrite = false>
DENSENET_INLINE void prefetchNear(const float* from, int floats) {
  for (int i = 0; i < floats; i += 16) __builtin_prefetch(from + i, kWrite ? 1 : 0, 3);
}

/** Masks of one tile: all ones in the lanes [first, last). */
struct TileMask {
  IntVec vectors[kVectors];
  TileMask(int first, int last) {
    for (int i = 0; i < kTile; ++i) vectors[i / kLanes][i % kLanes] = i >= first && i < last ? -1 : 0;
  }
};

}  // namespace densenet
