#include "classifier.h"

#include <algorithm>
#include <cmath>

#include "tasks.h"

namespace densenet {

Classifier::Classifier(Parameters& parameters, std::unique_ptr<Norm> norm, Channels input, int classes)
    : parameters_(parameters), input_(input), classes_(classes), norm_(std::move(norm)),
      weights_(parameters.add(static_cast<size_t>(classes) * input.count, true)), bias_(parameters.add(classes, true)) {}

void Classifier::prepare(Executor&, bool training) {
  if (!training) norm_->useRunning();
}

void Classifier::forward(const Pass& pass) {
  FeatureMap& input = pass.map(input_.map);
  const int images = input.images(), channels = input_.count;
  if (pass.training) norm_->useBatch(input, true);
  std::vector<float>& logits = pass.activations.logits;
  logits.resize(static_cast<size_t>(images) * classes_);
  if (pass.training) features_.resize(static_cast<size_t>(images) * channels);
  const float *weights = parameters_.values(weights_), *bias = parameters_.values(bias_);
  pass.executor.forEach(images, [&](int image, Scratch& scratch) {
    float* features = pass.training ? features_.data() + static_cast<size_t>(image) * channels
                                    : scratch.take(static_cast<size_t>(channels));
    pool(input, image, features);
    for (int k = 0; k < classes_; ++k) {
      float sum = bias[k];
      for (int c = 0; c < channels; ++c) sum += weights[static_cast<size_t>(k) * channels + c] * features[c];
      logits[static_cast<size_t>(image) * classes_ + k] = sum;
    }
  });
  if (pass.training) evaluateLoss(pass.activations, images);
}

/** Mean over the image of the normalised channels. */
void Classifier::pool(const FeatureMap& input, int image, float* features) const {
  std::fill(features, features + input_.count, 0.0f);
  forRuns(static_cast<int64_t>(image) * input.imagePixels(), input.imagePixels(),
          [&](int tile, int lane, int, int length) {
            const TileMask mask(lane, lane + length);
            const float* x = input.tile(tile) + input_.first * kTile;
            for (int c = 0; c < input_.count; ++c, x += kTile) {
              Vec sum{};
              for (int v = 0; v < kVectors; ++v)
                sum += keep(mask.vectors[v],
                            relu(load(x + v * kLanes) * splat(norm_->scale()[c]) + splat(norm_->shift()[c])));
              features[c] += static_cast<float>(sumLanes(sum));
            }
          });
  for (int c = 0; c < input_.count; ++c) features[c] /= static_cast<float>(input.imagePixels());
}

void Classifier::evaluateLoss(Activations& activations, int images) {
  logitGradients_.resize(activations.logits.size());
  activations.loss = 0;
  activations.correct = 0;
  for (int n = 0; n < images; ++n) {
    const float* logits = activations.logits.data() + static_cast<size_t>(n) * classes_;
    float* gradient = logitGradients_.data() + static_cast<size_t>(n) * classes_;
    const int label = activations.labels[n];
    const int best = static_cast<int>(std::max_element(logits, logits + classes_) - logits);
    double sum = 0;
    for (int k = 0; k < classes_; ++k) sum += std::exp(static_cast<double>(logits[k]) - logits[best]);
    for (int k = 0; k < classes_; ++k)
      gradient[k] = static_cast<float>(
          (std::exp(static_cast<double>(logits[k]) - logits[best]) / sum - (k == label ? 1 : 0)) / activations.stepImages);
    activations.loss += (std::log(sum) + logits[best] - logits[label]) / activations.stepImages;
    activations.correct += best == label ? 1 : 0;
  }
}

void Classifier::backward(const Pass& pass) {
  FeatureMap& input = pass.map(input_.map);
  const int images = input.images(), channels = input_.count;
  const Gradient weightGradient = parameters_.gradient(weights_), biasGradient = parameters_.gradient(bias_);
  pass.executor.forEach(classes_, [&](int k, Scratch& scratch) {
    float* sum = scratch.take(static_cast<size_t>(channels));
    std::fill(sum, sum + channels, 0.0f);
    float bias = 0;
    for (int n = 0; n < images; ++n) {
      const float g = logitGradients_[static_cast<size_t>(n) * classes_ + k];
      const float* features = features_.data() + static_cast<size_t>(n) * channels;
      for (int c = 0; c < channels; ++c) sum[c] += g * features[c];
      bias += g;
    }
    for (int c = 0; c < channels; ++c) weightGradient.put(static_cast<size_t>(k) * channels + c, sum[c]);
    biasGradient.put(static_cast<size_t>(k), bias);
  });
  const float* weights = parameters_.values(weights_);
  const Split tasks = imageTasks(input, 1);
  std::vector<std::vector<NormSums>> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* spread = scratch.take(static_cast<size_t>(channels));
    NormVectors sums(channels);
    for (int image = tasks.start(task); image < tasks.start(task + 1); ++image) {
      std::fill(spread, spread + channels, 0.0f);
      for (int k = 0; k < classes_; ++k) {
        const float g = logitGradients_[static_cast<size_t>(image) * classes_ + k] / input.imagePixels();
        for (int c = 0; c < channels; ++c) spread[c] += g * weights[static_cast<size_t>(k) * channels + c];
      }
      forRuns(static_cast<int64_t>(image) * input.imagePixels(), input.imagePixels(),
              [&](int tile, int lane, int, int length) {
                const TileMask valid(lane, lane + length);
                for (int c = 0; c < channels; ++c) {
                  const float* x = input.tile(tile) + (input_.first + c) * kTile;
                  float* to = input.gradientTile(tile) + (input_.first + c) * kTile;
                  const Vec scale = splat(norm_->scale()[c]);
                  for (int v = 0; v < kVectors; ++v) {
                    const Vec pixels = load(x + v * kLanes);
                    const IntVec mask =
                        (pixels * scale + splat(norm_->shift()[c]) > Vec{}) & valid.vectors[v];
                    const Vec g = keep(mask, splat(spread[c]));
                    for (int i = 0; i < kLanes; ++i)
                      if (valid.vectors[v][i]) to[v * kLanes + i] = g[i] * norm_->scale()[c];
                    sums.gradient[c] += g;
                    sums.product[c] += keep(mask, g * (pixels - splat(norm_->center()[c])));
                  }
                }
              });
    }
    parts[task] = sums.sums();
  });
  norm_->finish(input, parts);
}

}  // namespace densenet
