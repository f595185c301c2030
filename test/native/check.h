// The least a C++ test needs: a check that counts and explains failures.
#pragma once

#include <cmath>
#include <cstdio>
#include <vector>

inline int failures = 0;

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      ++failures;                                                                 \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                             \
  } while (false)

/** Whether two numbers agree to a relative (or, near 0, absolute) tolerance. */
inline bool close(double a, double b, double tolerance = 1e-5) {
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(a) + std::fabs(b));
}

/** Some numbers from -1.5 to 1.5, others for each seed. */
inline std::vector<float> numbers(size_t count, int seed) {
  std::vector<float> list(count);
  for (size_t i = 0; i < count; ++i) list[i] = static_cast<float>(static_cast<int>((i * 37 + seed * 101) % 199) - 99) / 64;
  return list;
}

void testOperands();
void testKernels();
void testPlanes();
void testPooling();
void testWinograd();
void testRandom();
void testThreads();
void testNetworks();
void testResidual();
