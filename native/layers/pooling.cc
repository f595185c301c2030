#include "pooling.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "tasks.h"

namespace densenet {

Pooling::Pooling(std::shared_ptr<Norm> norm, Channels input, Channels output, bool statistics)
    : input_(input), output_(output), statistics_(statistics), norm_(std::move(norm)) {}

void Pooling::prepare(Executor&, bool training) {
  if (norm_ && !training) norm_->useRunning();
}

void Pooling::readChannel(const FeatureMap& map, int image, int channel, float* to) const {
  forRuns(static_cast<int64_t>(image) * map.imagePixels(), map.imagePixels(),
          [&](int tile, int lane, int pixel, int length) {
            std::memcpy(to + pixel, map.tile(tile) + (input_.first + channel) * kTile + lane, length * sizeof(float));
          });
  if (!norm_) return;
  const float scale = norm_->scale()[channel], shift = norm_->shift()[channel];
  for (int i = 0; i < map.imagePixels(); ++i) {
    const float y = to[i] * scale + shift;
    to[i] = 0 > y ? 0 : y;
  }
}

void Pooling::forward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  if (norm_ && pass.training) norm_->useBatch(input, true);
  const Split tasks = imageTasks(input, 1);
  const bool statistics = statistics_ && pass.training;
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    MomentSums moments(statistics ? output_.count : 0);
    for (int image = tasks.start(task); image < tasks.start(task + 1); ++image) {
      for (int c = 0; c < input_.count; ++c) {
        scratch.reset();
        float* from = scratch.take(static_cast<size_t>(input.imagePixels()));
        float* to = scratch.take(static_cast<size_t>(output.imagePixels()) + kLanes);
        readChannel(input, image, c, from);
        pool(input, output, from, to, scratch);
        forRuns(static_cast<int64_t>(image) * output.imagePixels(), output.imagePixels(),
                [&](int tile, int lane, int pixel, int length) {
                  std::memcpy(output.tile(tile) + (output_.first + c) * kTile + lane, to + pixel,
                              length * sizeof(float));
                });
      }
      if (statistics)
        forRuns(static_cast<int64_t>(image) * output.imagePixels(), output.imagePixels(),
                [&](int tile, int lane, int, int length) {
                  moments.add(output.tile(tile) + output_.first * kTile, lane, lane + length);
                });
    }
    if (statistics) parts[task] = moments.part();
  });
  if (statistics) output.setMoments(output_.first, parts);
}

void Pooling::backward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const Split tasks = imageTasks(input, 1);
  std::vector<std::vector<NormSums>> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    std::vector<NormSums> sums(input_.count);
    for (int image = tasks.start(task); image < tasks.start(task + 1); ++image)
      for (int c = 0; c < input_.count; ++c) {
        scratch.reset();
        backwardChannel(pass, terms, image, c, sums[c], scratch);
      }
    parts[task] = std::move(sums);
  });
  if (norm_) norm_->finish(input, parts);
}

void Pooling::backwardChannel(const Pass& pass, const GradientTerms& terms, int image, int channel, NormSums& sums,
                              Scratch& scratch) const {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const int pixels = input.imagePixels(), pooled = output.imagePixels();
  float* from = scratch.take(static_cast<size_t>(pixels));
  float* gradient = scratch.take(static_cast<size_t>(pooled));
  float* spreadGradient = scratch.take(static_cast<size_t>(pixels));
  readChannel(input, image, channel, from);
  loadGradientRow(output, output_.first, channel, terms, image, gradient);
  spread(input, output, from, gradient, spreadGradient, scratch);
  const float scale = norm_ ? norm_->scale()[channel] : 1, center = norm_ ? norm_->center()[channel] : 0;
  Vec sum{}, product{};
  forRuns(static_cast<int64_t>(image) * pixels, pixels, [&](int tile, int lane, int pixel, int length) {
    const float* x = input.tile(tile) + (input_.first + channel) * kTile + lane;
    float* to = input.gradientTile(tile) + (input_.first + channel) * kTile + lane;
    int i = 0;
    for (; i + kLanes <= length; i += kLanes) {
      const Vec incoming = load(spreadGradient + pixel + i);
      const Vec g = norm_ ? keep(load(from + pixel + i) > Vec{}, incoming) : incoming;
      store(to + i, g * scale);
      sum += g;
      product += g * (load(x + i) - center);
    }
    for (; i < length; ++i) {
      const float g = !norm_ || from[pixel + i] > 0 ? spreadGradient[pixel + i] : 0;
      to[i] = g * scale;
      sum[0] += g;
      product[0] += g * (x[i] - center);
    }
  });
  sums.gradient += sumLanes(sum);
  sums.product += sumLanes(product);
}

void AveragePooling::pool(const FeatureMap& input, const FeatureMap& output, const float* from, float* to,
                          Scratch&) const {
  for (int y = 0; y < output.height(); ++y, to += output.width()) {
    const float *top = from + 2 * y * input.width(), *bottom = top + input.width();
    for (int x = 0; x < output.width(); ++x)
      to[x] = 0.25f * ((top[2 * x] + top[2 * x + 1]) + (bottom[2 * x] + bottom[2 * x + 1]));
  }
}

void AveragePooling::spread(const FeatureMap& input, const FeatureMap& output, const float*, const float* gradient,
                            float* to, Scratch&) const {
  std::fill(to, to + input.imagePixels(), 0.0f);
  for (int y = 0; y < output.height(); ++y, gradient += output.width()) {
    float *top = to + 2 * y * input.width(), *bottom = top + input.width();
    for (int x = 0; x < output.width(); ++x)
      top[2 * x] = top[2 * x + 1] = bottom[2 * x] = bottom[2 * x + 1] = 0.25f * gradient[x];
  }
}

DENSENET_INLINE MaxPooling::Greatest MaxPooling::greatest(const WindowPlanes& shape, const float* at) const {
  Greatest best{load(at), Vec{}};
  for (int i = 0; i < window_.kernel; ++i)
    for (int j = 0; j < window_.kernel; ++j) {
      const Vec value = load(at + shape.tap(i, j));
      const IntVec better = (value > best.value) | (value != value);
      best.value = better ? value : best.value;
      best.tap = better ? splat(static_cast<float>(i * window_.kernel + j)) : best.tap;
    }
  return best;
}

void MaxPooling::pool(const FeatureMap& input, const FeatureMap& output, const float* from, float* to,
                      Scratch& scratch) const {
  const WindowPlanes shape(input.height(), input.width(), window_);
  float* planes = scratch.take(static_cast<size_t>(shape.size));
  shape.deal(from, -std::numeric_limits<float>::infinity(), planes);
  // A row overwrites what the one above wrote past it.
  for (int y = 0; y < output.height(); ++y, to += output.width())
    for (int x = 0; x < output.width(); x += kLanes)
      store(to + x, greatest(shape, planes + shape.output(y, x)).value);
}

void MaxPooling::spread(const FeatureMap& input, const FeatureMap& output, const float* from, const float* gradient,
                        float* to, Scratch& scratch) const {
  const WindowPlanes shape(input.height(), input.width(), window_);
  const int kernel = window_.kernel, step = window_.stride;
  float* planes = scratch.take(static_cast<size_t>(shape.size));
  shape.deal(from, -std::numeric_limits<float>::infinity(), planes);
  // The taps and gradients of all outputs that reach into the planes, with 0 for those outside the image.
  const int margin = (kernel - 1) / step, stride = shape.stride + margin, rows = shape.planeSize / shape.stride;
  const size_t floats = static_cast<size_t>(stride) * (rows + margin) + kTile;
  float* taps = scratch.take(floats);
  float* gradients = scratch.take(floats);
  std::fill(taps, taps + floats, 0.0f);
  std::fill(gradients, gradients + floats, 0.0f);
  for (int y = 0; y < output.height(); ++y) {
    const int row = (y + margin) * stride + margin;
    for (int x = 0; x < output.width(); x += kLanes)
      store(taps + row + x, greatest(shape, planes + shape.output(y, x)).tap);
    std::memcpy(gradients + row, gradient + y * output.width(), output.width() * sizeof(float));
  }
  for (int a = 0; a < step; ++a)
    for (int b = 0; b < step; ++b)
      for (int y = 0; y < rows; ++y)
        for (int x = 0; x < shape.stride; x += kLanes) {
          Vec sum{};
          for (int i = a; i < kernel; i += step)
            for (int j = b; j < kernel; j += step) {
              const int at = (y + margin - i / step) * stride + x + margin - j / step;
              const IntVec here = load(taps + at) == splat(static_cast<float>(i * kernel + j));
              sum += keep(here, load(gradients + at));
            }
          store(planes + (a * step + b) * shape.planeSize + y * shape.stride + x, sum);
        }
  shape.collect(planes, to);
}

}  // namespace densenet
