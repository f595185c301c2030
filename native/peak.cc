#include "peak.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "kernels/products.h"

namespace densenet {

namespace {

constexpr int kSteps = 4096;

/** kSteps multiply-adds on every accumulator of a register block. */
__attribute__((noinline)) void multiplyAdd(const float* values, float* to) {
  Block<kRows> block;
  read(block, values, kTile);
  const Vec factor = load(values), addend = load(values + kLanes);
  for (int i = 0; i < kSteps; ++i)
#pragma GCC unroll 16
    for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) block.v[m][v] = block.v[m][v] * factor + addend;
  write(block, to, kTile);
}

double secondsOf(int threads, int calls) {
  const auto run = [calls] {
    std::vector<float> values(kRows * kTile), results(values.size());
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.5f + 0.001f * static_cast<float>(i);
    for (int i = 0; i < calls; ++i) multiplyAdd(values.data(), results.data());
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double measurePeak(int threads) {
  constexpr int kCalls = 4000, kTries = 7;
  const double operations = 2.0 * threads * kCalls * kSteps * kRows * kTile;
  double best = secondsOf(threads, kCalls);
  for (int i = 1; i < kTries; ++i) best = std::min(best, secondsOf(threads, kCalls));
  return operations / best;
}

}  // namespace densenet
