// Every kernel against its definition, written as plain loops, for every size of register block.
#include <vector>

#include "check.h"
#include "kernels/products.h"
#include "kernels/transpose.h"
#include "layers/planes.h"

using namespace densenet;

namespace {

std::vector<float> numbers(size_t count, int seed) {
  std::vector<float> list(count);
  for (size_t i = 0; i < count; ++i) list[i] = static_cast<float>(static_cast<int>((i * 37 + seed * 101) % 199) - 99) / 64;
  return list;
}

void testTranspose() {
  Vec square[kLanes];
  for (int i = 0; i < kLanes; ++i)
    for (int j = 0; j < kLanes; ++j) square[i][j] = static_cast<float>(i * kLanes + j);
  transpose(square);
  for (int i = 0; i < kLanes; ++i)
    for (int j = 0; j < kLanes; ++j) CHECK(square[i][j] == static_cast<float>(j * kLanes + i));
}

template <int M>
void testPanel(int depth) {
  const std::vector<float> weights = numbers(depth * M, 1), panel = numbers(depth * kTile, 2);
  Block<M> block;
  clear(block);
  multiplyPanel(block, depth, weights.data(), panel.data());
  for (int m = 0; m < M; ++m)
    for (int i = 0; i < kTile; ++i) {
      double sum = 0;
      for (int j = 0; j < depth; ++j) sum += static_cast<double>(weights[j * M + m]) * panel[j * kTile + i];
      CHECK(close(block.v[m][i / kLanes][i % kLanes], sum));
    }
}

template <int M, int V>
void testOuter() {
  const OuterShape shape{3, 5, 40, 7, V * kLanes, 6 * V * kLanes};
  const std::vector<float> broadcast = numbers(M * 40, 3), vectors = numbers(3 * 6 * V * kLanes, 4);
  std::vector<float> sums = numbers(M * V * kLanes, 5);
  const std::vector<float> before = sums;
  Block<M, V> block;
  read(block, sums.data(), V * kLanes);
  addOuterProducts(block, shape, broadcast.data(), vectors.data());
  write(block, sums.data(), V * kLanes);
  for (int m = 0; m < M; ++m)
    for (int i = 0; i < V * kLanes; ++i) {
      double sum = before[m * V * kLanes + i];
      for (int r = 0; r < 3; ++r)
        for (int j = 0; j < 5; ++j)
          sum += static_cast<double>(broadcast[m * 40 + r * 7 + j]) * vectors[(r * 6 + j) * V * kLanes + i];
      CHECK(close(sums[m * V * kLanes + i], sum));
    }
}

template <int M>
void testPlanes(int height, int width) {
  constexpr int kDepth = 3;
  const PlaneShape shape(height, width);
  const std::vector<float> weights = numbers(kDepth * 9 * M, 6), pixels = numbers(kDepth * height * width, 7);
  std::vector<float> planes(static_cast<size_t>(kDepth) * shape.size), outputs(static_cast<size_t>(M) * shape.size);
  for (int c = 0; c < kDepth; ++c)
    for (int i = 0; i < height * width; ++i) planes[c * shape.size + shape.positions[i]] = pixels[c * height * width + i];
  for (int at = 0; at < shape.blocks; ++at) {
    const int* offsets = shape.offsets.data() + at * kVectors;
    Block<M> block;
    clear(block);
    convolvePlanes(block, kDepth, weights.data(), planes.data(), shape.size, shape.stride, offsets);
    writeAt(block, outputs.data(), shape.size, offsets);
  }
  for (int m = 0; m < M; ++m)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        double sum = 0;
        for (int c = 0; c < kDepth; ++c)
          for (int tap = 0; tap < 9; ++tap) {
            const int i = y + tap / 3 - 1, j = x + tap % 3 - 1;
            if (i >= 0 && i < height && j >= 0 && j < width)
              sum += static_cast<double>(weights[(c * 9 + tap) * M + m]) * pixels[(c * height + i) * width + j];
          }
        CHECK(close(outputs[m * shape.size + shape.position(y, x)], sum));
      }
}

template <int M>
void testRows() {
  testPanel<M>(1);
  testPanel<M>(50);
  testOuter<M, 1>();
  testOuter<M, kVectors>();
  testPlanes<M>(1, 1);
  testPlanes<M>(7, 7);
  testPlanes<M>(5, 32);
  testPlanes<M>(33, 3);
  if constexpr (M > 1) testRows<M - 1>();
}

}  // namespace

void testKernels() {
  testTranspose();
  testRows<kRows>();
}
