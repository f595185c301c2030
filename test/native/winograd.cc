// Winograd's transforms and products against the definition of a 3×3 convolution, strip by strip, for many sizes.
#include <random>
#include <vector>

#include "check.h"
#include "executor.h"
#include "layers/filters3.h"
#include "layers/frequency_weights.h"
#include "layers/strips.h"

using namespace densenet;

namespace {

/** Of numbers near 0 that are sums of many of about 1; testError looks at rounding. */
constexpr double kTolerance = 5e-5;

/** Images [image][channel][height][width]; as a layer reads them, 0 outside. */
struct Images {
  int images, channels, height, width;
  std::vector<float> data;

  int pixels() const { return height * width; }
  float at(int image, int channel, int y, int x) const {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return data[((image * channels + channel) * height + y) * width + x];
  }
  /** Channel `channel` of a run of the batch's pixels. */
  void read(const PixelRun& run, int channel, float* to) const {
    for (int p = 0; p < run.count; ++p) {
      const int pixel = static_cast<int>(run.first + p);
      to[p] = data[(pixel / pixels() * channels + channel) * pixels() + pixel % pixels()];
    }
  }
};

/** Normally distributed numbers, below 0 cut off if `cut`. */
std::vector<float> normals(size_t count, int seed, bool cut = false) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> list(count);
  for (float& x : list) x = cut ? std::max(0.0f, normal(generator)) : normal(generator);
  return list;
}

Images images(int count, int channels, int height, int width, int seed, bool cut = false) {
  return {count, channels, height, width, normals(static_cast<size_t>(count) * channels * height * width, seed, cut)};
}

/** A convolution with weights [row][channel][3][3], by tiles of N columns. */
template <int N>
Images convolve(const Images& input, const std::vector<float>& weights, int rows) {
  const int depth = input.channels;
  const StripShape<N> shape(input.height, input.width);
  const FrequencyWeights transformed(kFrequencies<N>, rows, depth);
  std::vector<float> values(transformed.floats());
  SerialExecutor executor;
  transformed.fill<N>(executor, values.data(),
                      [&](int row, int c, int tap) { return weights[(row * depth + c) * kTaps + tap]; });
  std::vector<float> run(shape.reachFloats()), working(shape.workingFloats()), outputs(shape.outputFloats());
  std::vector<float> panels(depth * shape.channelStride), sums(rows * shape.channelStride);
  Images result{input.images, rows, input.height, input.width, {}};
  result.data.resize(static_cast<size_t>(input.images) * rows * input.pixels());
  shape.forStrips(0, input.images, [&](const Strip& strip) {
    const PixelRun inside = shape.pixels(strip);
    for (int r = 0; r < transformed.rowBlocks().count(); ++r) {
      for (int d = 0; d < transformed.depthBlocks().count(); ++d) {
        for (int i = 0; i < transformed.depthBlocks().size(d); ++i) {
          input.read(shape.reach(strip), transformed.depthBlocks().start(d) + i, run.data());
          shape.windows(strip, run.data(), working.data(), panels.data() + i * shape.channelStride);
        }
        for (int f = 0; f < kFrequencies<N>; ++f)
          transformed.multiply(values.data(), r, d, f, panels.data(), sums.data(), shape.channelStride,
                               shape.blocks(strip));
      }
      for (int i = 0; i < transformed.rowBlocks().size(r); ++i) {
        shape.outputs(strip, sums.data() + i * shape.channelStride, outputs.data());
        for (int p = 0; p < inside.count; ++p) {
          const int pixel = static_cast<int>(inside.first + p), row = transformed.rowBlocks().start(r) + i;
          result.data[(pixel / input.pixels() * rows + row) * input.pixels() + pixel % input.pixels()] = outputs[p];
        }
      }
    }
  });
  return result;
}

/** The gradient of one output channel's weights, [kLanes inputs][3][3], given that of the outputs. */
template <int N>
std::vector<float> weightGradient(const Images& input, const Images& gradient) {
  constexpr int kStep = StripShape<N>::kTransformed;
  const StripShape<N> shape(input.height, input.width);
  std::vector<float> run(shape.reachFloats()), working(shape.workingFloats()), gradients(shape.channelStride);
  std::vector<float> padded(static_cast<size_t>(shape.paddedPixels()) * kTile);
  std::vector<float> columns(static_cast<size_t>(kWindowHeight) * shape.paddedColumns() * kLanes);
  std::vector<float> channels(static_cast<size_t>(shape.mostTiles()) * kStep);
  std::vector<float> sums(kFrequencies<N> * kLanes), taps(kTaps * kLanes), result(kTaps * kLanes);
  shape.forStrips(0, input.images, [&](const Strip& strip) {
    const PixelRun reach = shape.reach(strip);
    std::fill(padded.begin(), padded.end(), 0.0f);
    for (int c = 0; c < kLanes; ++c) {
      input.read(reach, c, run.data());
      for (int p = 0; p < reach.count; ++p) padded[shape.paddedPositions(strip)[p] * kTile + c] = run[p];
    }
    shape.channels(strip, padded.data(), columns.data(), channels.data());
    gradient.read(reach, 0, run.data());
    shape.gradients(strip, run.data(), working.data(), gradients.data());
    const OuterShape tiles{shape.blocks(strip), kTile, 0, kBlockFloats<N>, kStep, kTile * kStep};
    for (int f = 0; f < kFrequencies<N>; ++f) {
      Block<1, 1> sum;
      read(sum, sums.data() + f * kLanes, 0);
      addOuterProducts(sum, tiles, gradients.data() + f * kTile, channels.data() + f * kTile);
      write(sum, sums.data() + f * kLanes, 0);
    }
  });
  addWeightGradient<N>(sums.data(), kLanes, taps.data(), kLanes);
  for (int c = 0; c < kLanes; ++c)
    for (int tap = 0; tap < kTaps; ++tap) result[c * kTaps + tap] = taps[tap * kLanes + c];
  return result;
}

/** Calls f(convolution's value, expected) for each output. Sums are of type Sum. */
template <class Sum, class F>
void forOutputs(const Images& input, const std::vector<float>& weights, const Images& result, F&& f) {
  for (int n = 0; n < input.images; ++n)
    for (int r = 0; r < result.channels; ++r)
      for (int y = 0; y < input.height; ++y)
        for (int x = 0; x < input.width; ++x) {
          Sum sum = 0;
          for (int c = 0; c < input.channels; ++c)
            for (int tap = 0; tap < kTaps; ++tap)
              sum += static_cast<Sum>(weights[(r * input.channels + c) * kTaps + tap]) *
                     input.at(n, c, y + tap / 3 - 1, x + tap % 3 - 1);
          f(result.at(n, r, y, x), sum);
        }
}

template <int N>
void testConvolution(int count, int height, int width, int depth, int rows) {
  const Images input = images(count, depth, height, width, 1);
  const std::vector<float> weights = normals(static_cast<size_t>(rows) * depth * kTaps, 2);
  forOutputs<double>(input, weights, convolve<N>(input, weights, rows),
                     [](float value, double expected) { CHECK(close(value, expected, kTolerance)); });
}

template <int N>
void testWeightGradient(int count, int height, int width) {
  const Images input = images(count, kLanes, height, width, 3), gradient = images(count, 1, height, width, 4);
  const std::vector<float> result = weightGradient<N>(input, gradient);
  for (int c = 0; c < kLanes; ++c)
    for (int tap = 0; tap < kTaps; ++tap) {
      double sum = 0;
      for (int n = 0; n < count; ++n)
        for (int y = 0; y < height; ++y)
          for (int x = 0; x < width; ++x)
            sum += static_cast<double>(gradient.at(n, 0, y, x)) * input.at(n, c, y + tap / 3 - 1, x + tap % 3 - 1);
      CHECK(close(result[c * kTaps + tap], sum, kTolerance));
    }
}

template <int N>
void testSizes() {
  testConvolution<N>(6, 8, 8, 3, 5);
  testConvolution<N>(5, 7, 7, 2, 13);
  testConvolution<N>(2, 32, 32, 3, 12);
  testConvolution<N>(1, 28, 28, 2, 7);
  testConvolution<N>(2, 9, 37, 70, 3);
  testConvolution<N>(1, 70, 5, 2, 100);
  testConvolution<N>(3, 1, 1, 1, 1);
  std::mt19937 random(5);
  for (int i = 0; i < 8; ++i) {
    const int count = 1 + random() % 5, height = 1 + random() % 40, width = 1 + random() % 40;
    testConvolution<N>(count, height, width, 1 + random() % 4, 1 + random() % 3);
    testWeightGradient<N>(count, height, width);
  }
}

/** Rounding errors are at most twice those of direct sums in single precision, over several convolutions. */
template <int N>
void testError(int depth, bool cut) {
  double squares = 0, directSquares = 0;
  for (int seed = 0; seed < 8; ++seed) {
    const Images input = images(1, depth, 16, 16, 2 * seed, cut);
    const std::vector<float> weights = normals(static_cast<size_t>(depth) * kTaps, 2 * seed + 1);
    const Images result = convolve<N>(input, weights, 1);
    std::vector<double> exact;
    forOutputs<double>(input, weights, result, [&](float value, double expected) {
      exact.push_back(expected);
      squares += (value - expected) * (value - expected);
    });
    size_t at = 0;
    forOutputs<float>(input, weights, result, [&](float, float sum) {
      directSquares += (sum - exact[at]) * (sum - exact[at]);
      ++at;
    });
  }
  CHECK(squares <= 4 * directSquares);
}

}  // namespace

void testWinograd() {
  testSizes<2>();
  testSizes<4>();
  // On what a ReLU leaves, as in the forward pass, and backward: the least depths that each is used for.
  testError<2>(8, true);
  testError<2>(8, false);
  testError<4>(48, true);
  testError<4>(32, false);
}
