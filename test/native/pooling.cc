// Max pooling against its definition, over many windows, with equal values and numbers that are none.
#include <limits>
#include <vector>

#include "check.h"
#include "layers/pooling.h"

using namespace densenet;

namespace {

struct OpenPooling : MaxPooling {
  using MaxPooling::MaxPooling;
  using MaxPooling::pool;
  using MaxPooling::spread;
};

/** Where the greatest value of a window is: the first of equal ones, or the last that is not a number. */
int greatest(const std::vector<float>& image, int height, int width, Window window, int y, int x) {
  int best = -1;
  for (int i = y * window.stride - window.padding; i < y * window.stride - window.padding + window.kernel; ++i)
    for (int j = x * window.stride - window.padding; j < x * window.stride - window.padding + window.kernel; ++j) {
      if (i < 0 || i >= height || j < 0 || j >= width) continue;
      const float value = image[static_cast<size_t>(i * width + j)];
      if (best < 0 || value > image[static_cast<size_t>(best)] || value != value) best = i * width + j;
    }
  return best;
}

bool same(float a, float b) { return a == b || (a != a && b != b); }

void testWindow(int height, int width, Window window, bool nan) {
  std::vector<float> image(static_cast<size_t>(height * width));
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>((i * 7 + i / 5) % 6) - 2;
  if (nan) image[image.size() / 2] = std::numeric_limits<float>::quiet_NaN();
  const FeatureMap input(1, height, width), output(1, window.outputs(height), window.outputs(width));
  const OpenPooling pooling(nullptr, Channels{0, 0, 1}, Channels{1, 0, 1}, window);
  const size_t pixels = image.size(), pooled = static_cast<size_t>(output.imagePixels());
  Scratch scratch;
  std::vector<float> to(pooled + kLanes), gradient = numbers(pooled, 3), spread(pixels), expected(pixels);
  pooling.pool(input, output, image.data(), to.data(), scratch);
  pooling.spread(input, output, image.data(), gradient.data(), spread.data(), scratch);
  for (int y = 0, i = 0; y < output.height(); ++y)
    for (int x = 0; x < output.width(); ++x, ++i) {
      const int best = greatest(image, height, width, window, y, x);
      CHECK(same(to[static_cast<size_t>(i)], image[static_cast<size_t>(best)]));
      expected[static_cast<size_t>(best)] += gradient[static_cast<size_t>(i)];
    }
  for (size_t i = 0; i < pixels; ++i) CHECK(close(spread[i], expected[i]));
}

}  // namespace

void testPooling() {
  for (const Window window : {Window{3, 2, 1}, {1, 1, 0}, {2, 2, 0}, {3, 1, 1}, {2, 3, 0}, {5, 3, 2}, {3, 3, 1}})
    for (int height : {5, 8, 13})
      for (int width : {5, 9, 16, 37})
        for (bool nan : {false, true}) testWindow(height, width, window, nan);
}
