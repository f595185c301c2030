// Winograd's transforms and products against the definition of a 3×3 convolution, strip by strip, for many sizes.
#include <vector>

#include "check.h"
#include "layers/winograd.h"

using namespace densenet;

namespace {

/** Σ_c Σ_taps weight·pixel at one position of an image [depth][height][width]. */
double convolved(const std::vector<float>& weights, const float* image, int depth, int height, int width, int y, int x) {
  double sum = 0;
  for (int c = 0; c < depth; ++c)
    for (int tap = 0; tap < 9; ++tap) {
      const int i = y + tap / 3 - 1, j = x + tap % 3 - 1;
      if (i < 0 || i >= height || j < 0 || j >= width) continue;
      sum += static_cast<double>(weights[c * 9 + tap]) * image[(c * height + i) * width + j];
    }
  return sum;
}

void testConvolution(int height, int width, int images, int depth, int rows) {
  const StripShape shape(height, width);
  const int pixels = height * width;
  std::vector<std::vector<float>> weights;
  for (int r = 0; r < rows; ++r) weights.push_back(numbers(depth * 9, r));
  FrequencyWeights transformed(rows, depth);
  for (int r = 0; r < transformed.rowBlocks().count; ++r)
    for (int d = 0; d < transformed.depthBlocks().count; ++d)
      transformed.fill(r, d, [&](int row, int c, float* to) { transformWeights(weights[row].data() + c * 9, to); });
  const std::vector<float> data = numbers(static_cast<size_t>(images) * depth * pixels, 9);  // [image][channel][pixel]
  const size_t slack = static_cast<size_t>(shape.reachFloats()) + width + kTile;
  std::vector<float> run(slack), planes(shape.planeFloats()), outputs(slack);
  std::vector<float> panels(depth * shape.channelStride), sums(rows * shape.channelStride);
  shape.forStrips(0, images, [&](const Strip& strip) {
    const PixelRun reach = shape.reach(strip), inside = shape.pixels(strip);
    for (int r = 0; r < transformed.rowBlocks().count; ++r) {
      for (int d = 0; d < transformed.depthBlocks().count; ++d) {
        for (int i = 0; i < transformed.depthBlocks().size(d); ++i) {
          const int c = transformed.depthBlocks().start(d) + i;
          for (int p = 0; p < reach.count; ++p) {
            const int64_t pixel = reach.first + p;
            run[kTile + p] = data[(pixel / pixels * depth + c) * pixels + pixel % pixels];
          }
          shape.rows<false>(strip, run.data() + kTile, planes.data());
          shape.windows(strip, planes.data(), panels.data() + i * shape.channelStride);
        }
        for (int f = 0; f < kFrequencies; ++f)
          transformed.multiply(r, d, f, panels.data(), sums.data(), shape.channelStride,
                               strip.images * shape.blocks(strip));
      }
      for (int i = 0; i < transformed.rowBlocks().size(r); ++i) {
        shape.outputs(strip, sums.data() + i * shape.channelStride, planes.data(), outputs.data());
        for (int p = 0; p < inside.count; ++p) {
          const int64_t image = (inside.first + p) / pixels, at = (inside.first + p) % pixels;
          const double expected =
              convolved(weights[transformed.rowBlocks().start(r) + i], data.data() + image * depth * pixels, depth, height,
                        width, static_cast<int>(at / width), static_cast<int>(at % width));
          CHECK(close(outputs[p], expected));
        }
      }
    }
  });
}

/** Weights turned by 180°, as the gradient of the data needs them, are frequencies in another order. */
void testTurned() {
  const std::vector<float> weights = numbers(9, 1);
  const std::vector<float> turned(weights.rbegin(), weights.rend());
  float a[kFrequencies], b[kFrequencies];
  transformWeights(weights.data(), a);
  transformWeights(turned.data(), b);
  for (int f = 0; f < kFrequencies; ++f) CHECK(close(a[f], b[turnedFrequency(f)]));
}

}  // namespace

void testWinograd() {
  testTurned();
  testConvolution(8, 8, 6, 3, 5);
  testConvolution(7, 7, 5, 2, 13);
  testConvolution(32, 32, 2, 3, 12);
  testConvolution(28, 28, 1, 2, 7);
  testConvolution(9, 37, 2, 70, 3);
  testConvolution(70, 5, 1, 2, 100);
  testConvolution(1, 1, 3, 1, 1);
}
