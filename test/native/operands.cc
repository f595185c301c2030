// Pairs of bfloat16 numbers are the nearest ones, in the right half of the word, and multiply as such.
#include "operands.h"

#include <limits>
#include <vector>

#include "check.h"

using namespace densenet;

namespace {

uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

void testPair(float first, float second) {
  const uint32_t word = bitsOf(BfloatPairs::word([&](int t) { return t == 0 ? first : second; }));
  CHECK((word & 0xffff) == bitsOf(nearestBfloat16(first)) >> 16);
  CHECK(word >> 16 == bitsOf(nearestBfloat16(second)) >> 16);
}

/** Numbers of all sizes: exact ones, ties to both sides, and those next to a tie. */
void testRounding() {
  std::vector<float> values = {0, 1, 1.5f, 3.14159f, 1e-30f, 1e30f, std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::min()};
  for (uint32_t exponent = 1; exponent < 255; exponent += 23)
    for (uint32_t upper : {0u, 1u, 2u, 0x3fu, 0x7eu, 0x7fu})
      for (uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
        values.push_back(fromBits(exponent << 23 | upper << 16 | lower));
  for (size_t i = 0; i < values.size(); ++i) {
    testPair(values[i], -values[(i + 7) % values.size()]);
    testPair(-values[i], values[(i + 11) % values.size()]);
  }
}

/** What has diverged stays visible. */
void testSpecialValues() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Vec ones = BfloatPairs::words([](int) { return splat(1); });
  const auto sumOf = [&](float first, float second) {
    return BfloatPairs::multiplyAdd(Vec{}, BfloatPairs::words([&](int t) { return splat(t == 0 ? first : second); }),
                                    ones)[0];
  };
  CHECK(sumOf(kInfinity, 1) == kInfinity);
  CHECK(sumOf(1, -kInfinity) == -kInfinity);
  for (uint32_t bits : {0x7fffffffu, 0xffffffffu, 0x7f800001u, 0x7fc00000u}) {
    CHECK(std::isnan(sumOf(fromBits(bits), 1)));
    CHECK(std::isnan(sumOf(1, fromBits(bits))));
  }
}

}  // namespace

void testOperands() {
  testRounding();
  testSpecialValues();
}
