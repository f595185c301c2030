// What an operand is worth, by definition.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/operands.h"

/** The bfloat16 number with these 16 bits. */
inline float bfloat16(uint32_t bits) {
  bits <<= 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/** The nearest bfloat16 of a finite number; of two the one with an even last bit. Beyond the largest: infinity. */
inline float nearestBfloat16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const uint32_t low = bits >> 16, high = low + 1;  // towards 0, and away from it
  const double below = std::fabs(static_cast<double>(x) - bfloat16(low));
  // Above the largest bfloat16 comes what would be 2^128.
  const double next = std::isinf(bfloat16(high)) ? std::copysign(std::ldexp(1.0, 128), x) : bfloat16(high);
  const double above = std::fabs(next - x);
  return bfloat16(below < above || (below == above && low % 2 == 0) ? low : high);
}

template <class Operand>
double operand(float x) {
  return Operand::kTerms == 1 ? x : nearestBfloat16(x);
}
