// Feature maps of a batch, with what batch normalisation needs to know about each channel.
//
// All pixels of a batch lie in one row: pixel p of image n is number n·H·W + p. They are cut into tiles of kTile,
// stored [tile][channel][kTile], so that a tile is a panel of a matrix product and a dense layer appends channels by
// writing after those of the layers before it. Lanes after the last pixel hold finite values without meaning.
#pragma once

#include <vector>

#include "buffer.h"
#include "kernels/vector.h"

namespace densenet {

/** Mean and sum of squared deviations of a channel over part of a batch. */
struct Moments {
  double mean = 0, squares = 0;
};

/** Sums that one task found: per channel, over `pixels` pixels. */
struct MomentsPart {
  double pixels = 0;
  std::vector<Moments> channels;
};

class FeatureMap {
 public:
  FeatureMap(int channels, int height, int width);

  /** Sets the number of images. Buffers are attached apart. */
  void resize(int images) { images_ = images; }

  int channels() const { return channels_; }
  int height() const { return height_; }
  int width() const { return width_; }
  int images() const { return images_; }
  int imagePixels() const { return height_ * width_; }
  int64_t pixels() const { return static_cast<int64_t>(images_) * height_ * width_; }
  int tiles() const { return static_cast<int>((pixels() + kTile - 1) / kTile); }
  /** Valid lanes of a tile: kTile, except perhaps in the last. */
  int lanes(int tile) const;
  /** Sets the lanes after the last pixel to 0: what a larger batch left there may not be finite. */
  void clearTail();
  size_t floats() const { return static_cast<size_t>(tiles() * tileStride_); }

  /** Floats from a tile to the next. */
  ptrdiff_t tileStride() const { return tileStride_; }
  float* tile(int tile) const { return data + tile * tileStride_; }
  float* gradientTile(int tile) const { return gradient + tile * tileStride_; }

  /** [tile][channel][kTile], and what tileStride() skips. */
  float* data = nullptr;
  /** Same layout: Σ over readers of γ/σ·g, the first term of batch normalisation's gradient. */
  float* gradient = nullptr;

  // Per channel. A channel is normalised by the same batch statistics wherever it is read.
  std::vector<double> mean, variance, inverse;  // batch mean, biased variance, 1/√(variance + ε)
  /** Σ over readers of γ/σ·mean(g) and γ/σ³·mean(g·(x−μ)): the deferred terms of the gradient. */
  std::vector<double> deferredMean, deferredSlope;

  /** Sets the statistics of channels first, first+1, … from all tasks' parts, added in their order. */
  void setMoments(int first, const std::vector<MomentsPart>& parts);
  /** Forgets the deferred terms, before a backward pass. */
  void clearDeferred();

 private:
  int channels_, height_, width_, images_ = 0;
  ptrdiff_t tileStride_;
};

/** The gradient of channels is gradient + offset + slope·data: the deferred terms, ready to use. */
struct GradientTerms {
  std::vector<float> offset, slope;
  GradientTerms(const FeatureMap& map, int first, int count);
};

}  // namespace densenet
