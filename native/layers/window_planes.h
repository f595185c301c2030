// Images dealt out so that a window's tap is a shift, for any window: what the first convolution and max pooling read.
#pragma once

#include "../kernels/vector.h"

namespace densenet {

/** A window that slides over an image. */
struct Window {
  int kernel, stride, padding;

  int outputs(int size) const { return (size + 2 * padding - kernel) / stride + 1; }
};

/**
 * The rows and columns of a padded image, dealt out to stride² phase planes: plane (a, b) holds padded pixel
 * (y·stride + a, x·stride + b) at (y, x). What the window at output (y, x) reads at tap (i, j) is then at
 * output(y, x) + tap(i, j).
 */
class WindowPlanes {
 public:
  WindowPlanes(int height, int width, Window window);

  int height, width;
  Window window;
  /**
   * Floats from one row of a plane to the next, of a plane, and of all planes of a channel with room for a tile more.
   */
  int stride, planeSize, size;

  int output(int y, int x) const { return y * stride + x; }
  int tap(int i, int j) const {
    return (i % window.stride * window.stride + j % window.stride) * planeSize + i / window.stride * stride +
           j / window.stride;
  }

  /** Deals out an image [height·width]; `outside` stands in the padding. */
  void deal(const float* image, float outside, float* planes) const;
  /** The image of planes, without the padding. */
  void collect(const float* planes, float* image) const;

 private:
  /** Calls f(first pixel, its place in the planes, pixels) for every row and phase: they lie window.stride apart. */
  template <class F>
  void forRows(F&& f) const;
};

}  // namespace densenet
