// Every kernel against its definition, written as plain loops, for every size of register block and every operand.
#include <algorithm>
#include <cstring>
#include <vector>

#include "check.h"
#include "kernels/products.h"
#include "kernels/transpose.h"
#include "layers/planes.h"
#include "layers/rows.h"
#include "operands.h"

using namespace densenet;

namespace {

void testTranspose() {
  Vec square[kLanes];
  for (int i = 0; i < kLanes; ++i)
    for (int j = 0; j < kLanes; ++j) square[i][j] = static_cast<float>(i * kLanes + j);
  transpose(square);
  for (int i = 0; i < kLanes; ++i)
    for (int j = 0; j < kLanes; ++j) CHECK(square[i][j] == static_cast<float>(j * kLanes + i));
}

/** Lays `from`, [terms][lanes], out as words of neighbouring terms, [words][lanes]. */
template <class Operand>
std::vector<float> pack(const std::vector<float>& from, int terms, int lanes) {
  std::vector<float> words(static_cast<size_t>(wordsOf<Operand>(terms)) * lanes);
  for (size_t i = 0; i < words.size(); ++i) {
    const int first = static_cast<int>(i) / lanes * Operand::kTerms, lane = static_cast<int>(i) % lanes;
    words[i] = Operand::word([&](int t) { return first + t < terms ? from[(first + t) * lanes + lane] : 0; });
  }
  return words;
}

template <class Operand, int M>
void testPanel(int depth) {
  const std::vector<float> weights = numbers(depth * M, 1), panel = numbers(depth * kTile, 2);
  Block<M> block;
  clear(block);
  multiplyPanel<Operand>(block, wordsOf<Operand>(depth), pack<Operand>(weights, depth, M).data(),
                         pack<Operand>(panel, depth, kTile).data());
  for (int m = 0; m < M; ++m)
    for (int i = 0; i < kTile; ++i) {
      double sum = 0;
      for (int j = 0; j < depth; ++j) sum += operand<Operand>(weights[j * M + m]) * operand<Operand>(panel[j * kTile + i]);
      CHECK(close(block.v[m][i / kLanes][i % kLanes], sum));
    }
}

/** Rows of 5 steps, 7 steps apart in the broadcast factor and 6 in the vectors. */
template <class Operand, int M, int V>
void testOuter() {
  constexpr int kTerms = Operand::kTerms, kWidth = V * kLanes;
  const OuterShape shape{3, 5, 40, 7, kWidth, 6 * kWidth};
  const std::vector<float> broadcast = numbers(M * 40 * kTerms, 3), vectors = numbers(3 * 6 * kTerms * kWidth, 4);
  std::vector<float> sums = numbers(M * kWidth, 5);
  const std::vector<float> before = sums;
  Block<M, V> block;
  read(block, sums.data(), kWidth);
  addOuterProducts<Operand>(block, shape, pack<Operand>(broadcast, M * 40 * kTerms, 1).data(),
                            pack<Operand>(vectors, 3 * 6 * kTerms, kWidth).data());
  write(block, sums.data(), kWidth);
  for (int m = 0; m < M; ++m)
    for (int i = 0; i < kWidth; ++i) {
      double sum = before[m * kWidth + i];
      for (int r = 0; r < 3; ++r)
        for (int j = 0; j < 5 * kTerms; ++j)
          sum += operand<Operand>(broadcast[(m * 40 + r * 7) * kTerms + j]) *
                 operand<Operand>(vectors[(r * 6 * kTerms + j) * kWidth + i]);
      CHECK(close(sums[m * kWidth + i], sum));
    }
}

template <class Operand, int M>
void testPlanes(int height, int width) {
  constexpr int kDepth = 3;
  const PlaneShape shape(height, width);
  const std::vector<float> weights = numbers(kDepth * 9 * M, 6), pixels = numbers(kDepth * height * width, 7);
  std::vector<float> planes(static_cast<size_t>(kDepth) * shape.size), outputs(static_cast<size_t>(M) * shape.size);
  for (int c = 0; c < kDepth; ++c)
    for (int i = 0; i < height * width; ++i) planes[c * shape.size + shape.positions[i]] = pixels[c * height * width + i];
  const std::vector<float> weightWords = pack<Operand>(weights, kDepth, 9 * M);
  const std::vector<float> planeWords = pack<Operand>(planes, kDepth, shape.size);
  for (int at = 0; at < shape.blocks; ++at) {
    const int* offsets = shape.offsets.data() + at * kVectors;
    Block<M> block;
    clear(block);
    convolvePlanes<Operand>(block, wordsOf<Operand>(kDepth), weightWords.data(), planeWords.data(), shape.size,
                            shape.stride, offsets);
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
              sum += operand<Operand>(weights[(c * 9 + tap) * M + m]) *
                     operand<Operand>(pixels[(c * height + i) * width + j]);
          }
        CHECK(close(outputs[m * shape.size + shape.position(y, x)], sum));
      }
}

template <class Operand, int M>
void testRows() {
  testPanel<Operand, M>(1);
  testPanel<Operand, M>(50);
  testPanel<Operand, M>(51);
  testOuter<Operand, M, 1>();
  testOuter<Operand, M, kVectors>();
  testPlanes<Operand, M>(1, 1);
  testPlanes<Operand, M>(7, 7);
  testPlanes<Operand, M>(5, 32);
  testPlanes<Operand, M>(33, 3);
  if constexpr (M > 1) testRows<Operand, M - 1>();
}

/** Words of a tile's pixels: as rows and transposed they pair up the same pixels. */
template <class Operand>
void testPixelWords() {
  constexpr int kChannels = kLanes + 3, kPadded = 2 * kLanes, kWords = kTileWords<Operand>;
  const std::vector<float> a = numbers(kTile, 8), b = numbers(kChannels * kTile, 9);
  std::vector<float> words(kTile), transposed(static_cast<size_t>(kWords) * kPadded);
  packPixels<Operand>(a.data(), 1, words.data());
  transposeRows<Operand>(b.data(), kChannels, transposed.data(), kPadded);
  for (int c = 0; c < kPadded; ++c) {
    Vec sum{};
    double expected = 0;
    for (int i = 0; i < kWords; ++i)
      sum = Operand::multiplyAdd(sum, Operand::spread(words[i]), Operand::spread(transposed[i * kPadded + c]));
    for (int i = 0; i < kTile && c < kChannels; ++i) expected += operand<Operand>(a[i]) * operand<Operand>(b[c * kTile + i]);
    CHECK(close(sum[0], expected));
  }
}

/** Pairs of channels, an odd one filled up with 0, with and without normalisation, also in place. */
template <class Operand>
void testChannelWords() {
  constexpr int kChannels = 5, kWords = wordsOf<Operand>(kChannels);
  const std::vector<float> from = numbers(kChannels * kTile, 10), scale = numbers(kChannels, 11);
  const std::vector<float> shift = numbers(kChannels, 12);
  std::vector<float> normalized(kChannels * kTile), packed(kWords * kTile), inPlace = from;
  for (int i = 0; i < kChannels * kTile; ++i)
    normalized[i] = std::max(0.0f, std::fma(from[i], scale[i / kTile], shift[i / kTile]));
  packChannels<Operand>(inPlace.data(), kChannels, inPlace.data());
  const std::vector<float> plain = pack<Operand>(from, kChannels, kTile);
  CHECK(std::memcmp(inPlace.data(), plain.data(), plain.size() * sizeof(float)) == 0);
  normalizeRows<Operand>(from.data(), kChannels, scale.data(), shift.data(), packed.data());
  const std::vector<float> expected = pack<Operand>(normalized, kChannels, kTile);
  // Without fused multiply-adds a value may round differently: compare what a word times 1 is.
  const Vec ones = Operand::words([](int) { return splat(1); });
  for (int i = 0; i < kWords * kTile; ++i)
    CHECK(close(Operand::multiplyAdd(Vec{}, Operand::spread(packed[i]), ones)[0],
                Operand::multiplyAdd(Vec{}, Operand::spread(expected[i]), ones)[0], 1.0 / 256));
}

template <class Operand>
void testOperand() {
  testRows<Operand, kRows>();
  testPixelWords<Operand>();
  testChannelWords<Operand>();
}

}  // namespace

void testKernels() {
  testTranspose();
  testOperand<Single>();
  testOperand<BfloatPairs>();
}
