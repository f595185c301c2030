// Average pooling of transitions and max pooling of ImageNet networks, after batch normalisation and ReLU or plain.
#pragma once

#include <memory>

#include "layer.h"
#include "rows.h"
#include "window_planes.h"

namespace densenet {

/** What both poolings share: rows of an image, normalised on the way, and the way back. */
class Pooling : public Layer {
 public:
  /** `norm` is null for plain input; `statistics`: a later layer normalises the output. */
  Pooling(std::shared_ptr<Norm> norm, Channels input, Channels output, bool statistics);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;

 protected:
  /** Pools one image of one channel: input [H·W] to output [H'·W']; may write a vector more. */
  virtual void pool(const FeatureMap& input, const FeatureMap& output, const float* from, float* to,
                    Scratch& scratch) const = 0;
  /** The gradient of the input from that of the output. `from` is what was pooled. */
  virtual void spread(const FeatureMap& input, const FeatureMap& output, const float* from, const float* gradient,
                      float* to, Scratch& scratch) const = 0;

 private:
  void readChannel(const FeatureMap& map, int image, int channel, float* to) const;
  void backwardChannel(const Pass& pass, const GradientTerms& terms, int image, int channel, NormSums& sums,
                       Scratch& scratch) const;

  Channels input_, output_;
  bool statistics_;
  std::shared_ptr<Norm> norm_;
};

/** 2×2, stride 2; an odd last row or column is left out. */
class AveragePooling : public Pooling {
 public:
  using Pooling::Pooling;
  const char* name() const override { return "average pooling"; }

 protected:
  void pool(const FeatureMap& input, const FeatureMap& output, const float* from, float* to,
            Scratch& scratch) const override;
  void spread(const FeatureMap& input, const FeatureMap& output, const float* from, const float* gradient, float* to,
              Scratch& scratch) const override;
};

/** Any window; a 1×1 window of stride 1 copies. Among equal values the first gets the gradient, as in PyTorch. */
class MaxPooling : public Pooling {
 public:
  MaxPooling(std::shared_ptr<Norm> norm, Channels input, Channels output, Window window)
      : Pooling(std::move(norm), input, output, true), window_(window) {}
  const char* name() const override { return "max pooling"; }

 protected:
  void pool(const FeatureMap& input, const FeatureMap& output, const float* from, float* to,
            Scratch& scratch) const override;
  void spread(const FeatureMap& input, const FeatureMap& output, const float* from, const float* gradient, float* to,
              Scratch& scratch) const override;

 private:
  /** The greatest values of a vector of windows, and the taps [row][column] where they are. */
  struct Greatest {
    Vec value, tap;
  };
  /** Of the windows at `at` in planes. */
  Greatest greatest(const WindowPlanes& shape, const float* at) const;

  Window window_;
};

}  // namespace densenet
