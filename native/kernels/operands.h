// What convolutions multiply: single-precision numbers, or pairs of bfloat16 numbers. Sums are single precision.
//
// An operand lies in memory as words of 32 bits, in arrays of float. A word holds kTerms neighbours along the summed
// dimension, so the kernels are the same for every kind of operand: they go through words, and a word times a word is
// a sum of kTerms products. Where the summed dimension is no multiple of kTerms, the last word is filled up with 0.
#pragma once

#include <algorithm>
#include <cstring>

#include "vector.h"

// The processor's bfloat16 dot product, for the vectors of vector.h.
#if defined(__AVX512BF16__) && !defined(DENSENET_LANES)
#define DENSENET_BFLOAT16_X86
#include <immintrin.h>
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC) && !defined(DENSENET_LANES)
#define DENSENET_BFLOAT16_ARM
#include <arm_neon.h>
#endif

namespace densenet {

#if defined(DENSENET_BFLOAT16_X86) || defined(DENSENET_BFLOAT16_ARM)
constexpr bool kBfloat16Instructions = true;
#else
constexpr bool kBfloat16Instructions = false;
#endif

/** Single precision: a word is a number. */
struct Single {
  static constexpr int kTerms = 1;

  /** A vector of words, and one word, whose term t is term(t). */
  template <class F>
  static DENSENET_INLINE Vec words(F&& term) {
    return term(0);
  }
  template <class F>
  static DENSENET_INLINE float word(F&& term) {
    return term(0);
  }
  /** A word in every lane. */
  static DENSENET_INLINE Vec spread(float word) { return splat(word); }
  static DENSENET_INLINE Vec multiplyAdd(Vec sum, Vec a, Vec b) { return sum + a * b; }
};

/**
 * Pairs of bfloat16 numbers, each the upper half of a single-precision number, rounded to nearest, ties to even. The
 * first is in the lower half of the word.
 */
struct BfloatPairs {
  static constexpr int kTerms = 2;

  template <class F>
  static DENSENET_INLINE Vec words(F&& term) {
    return pack(term(0), term(1));
  }
  template <class F>
  static DENSENET_INLINE float word(F&& term) {
    return pack(splat(term(0)), splat(term(1)))[0];
  }
  static DENSENET_INLINE Vec spread(float word) {
    uint32_t bits;
    std::memcpy(&bits, &word, sizeof bits);
    return reinterpret_cast<Vec>(bits - UintVec{});
  }

#if defined(DENSENET_BFLOAT16_X86)
  // Numbers below 2⁻¹²⁶ count as 0. The instruction puts one operand's numbers after the other's.
  static DENSENET_INLINE Vec pack(Vec first, Vec second) {
    const __m512bh halves = _mm512_cvtne2ps_pbh(second, first);
    const __m512i interleaved = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                                 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return reinterpret_cast<Vec>(_mm512_permutexvar_epi16(interleaved, reinterpret_cast<__m512i>(halves)));
  }
  static DENSENET_INLINE Vec multiplyAdd(Vec sum, Vec a, Vec b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
#elif defined(DENSENET_BFLOAT16_ARM)
  static DENSENET_INLINE Vec pack(Vec first, Vec second) {
    const auto halves = [](Vec x) {
      return vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(reinterpret_cast<float32x4_t>(x)));
    };
    return reinterpret_cast<Vec>(vzip1q_u16(halves(first), halves(second)));
  }
  static DENSENET_INLINE Vec multiplyAdd(Vec sum, Vec a, Vec b) {
    return reinterpret_cast<Vec>(vbfdotq_f32(reinterpret_cast<float32x4_t>(sum), reinterpret_cast<bfloat16x8_t>(a),
                                             reinterpret_cast<bfloat16x8_t>(b)));
  }
#else
  static DENSENET_INLINE Vec pack(Vec first, Vec second) {
    return reinterpret_cast<Vec>((rounded(first) >> 16) | (rounded(second) & kUpper));
  }
  static DENSENET_INLINE Vec multiplyAdd(Vec sum, Vec a, Vec b) {
    sum += first(a) * first(b);
    return sum + second(a) * second(b);
  }

 private:
  static constexpr uint32_t kUpper = 0xffff0000;
  static DENSENET_INLINE Vec first(Vec words) { return reinterpret_cast<Vec>(reinterpret_cast<UintVec>(words) << 16); }
  static DENSENET_INLINE Vec second(Vec words) {
    return reinterpret_cast<Vec>(reinterpret_cast<UintVec>(words) & kUpper);
  }
  /** The upper half of each lane is the nearest bfloat16; a NaN stays one. */
  static DENSENET_INLINE UintVec rounded(Vec x) {
    const UintVec bits = reinterpret_cast<UintVec>(x);
    const UintVec nearest = bits + (0x7fff + ((bits >> 16) & 1)), quiet = bits | 0x400000;
    const UintVec nan = reinterpret_cast<UintVec>(x != x);
    return (nearest & ~nan) | (quiet & nan);
  }
#endif
};

/** Words that hold `terms` terms. */
template <class Operand>
constexpr int wordsOf(int terms) {
  return (terms + Operand::kTerms - 1) / Operand::kTerms;
}

}  // namespace densenet
