#include "window_planes.h"

#include <algorithm>

namespace densenet {

WindowPlanes::WindowPlanes(int height, int width, Window window)
    : height(height), width(width), window(window),
      stride((std::max(width + 2 * window.padding, window.kernel) + window.stride - 1) / window.stride),
      planeSize(stride * ((std::max(height + 2 * window.padding, window.kernel) + window.stride - 1) / window.stride)),
      size(planeSize * window.stride * window.stride + kTile) {}

template <class F>
void WindowPlanes::forRows(F&& f) const {
  const int step = window.stride, padding = window.padding;
  for (int y = 0; y < height; ++y)
    for (int phase = 0; phase < step; ++phase) {
      const int first = ((phase - padding) % step + step) % step;  // the first column of this phase
      if (first >= width) continue;
      f(y * width + first, ((y + padding) % step * step + phase) * planeSize + (y + padding) / step * stride +
                               (first + padding) / step,
        (width - first + step - 1) / step);
    }
}

void WindowPlanes::deal(const float* image, float outside, float* planes) const {
  std::fill(planes, planes + size, outside);
  forRows([&](int pixel, int place, int count) {
    const float* from = image + pixel;
    float* to = planes + place;
    if (window.stride == 2)  // a constant, for the compiler
      for (int x = 0; x < count; ++x) to[x] = from[2 * x];
    else
      for (int x = 0; x < count; ++x) to[x] = from[window.stride * x];
  });
}

void WindowPlanes::collect(const float* planes, float* image) const {
  forRows([&](int pixel, int place, int count) {
    const float* from = planes + place;
    float* to = image + pixel;
    for (int x = 0; x < count; ++x) to[window.stride * x] = from[x];
  });
}

}  // namespace densenet
