// The program's random numbers (src/util/random.ts), in vectors: pure functions of a key and a counter.
#pragma once

#include "kernels/vector.h"

namespace densenet {

/** Two 32-bit words that name a sequence of random numbers. */
struct Key {
  uint32_t first, second;
};

constexpr uint32_t kGolden = 0x9e3779b9u;

/** Finaliser of MurmurHash3 (Appleby, public domain). */
template <class T>
DENSENET_INLINE T mix(T x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
}

/** Extends a key by one step of its path. */
inline Key extend(Key key, uint32_t part) {
  const uint32_t first = mix(key.first ^ ((part + 1) * kGolden));
  return {first, mix(key.second + first + part)};
}

/** Numbers `counter` of the sequence: integers in [0, 2³²). */
template <class T>
DENSENET_INLINE T bits(Key key, T counter) {
  const T x = mix(counter * kGolden + key.first);
  return mix(x ^ key.second ^ ((counter + 1u) * 0x85ebca77u));
}

}  // namespace densenet
