#include "activation.h"

#include "strides.h"
#include "tasks.h"

namespace densenet {

Activation::Activation(std::shared_ptr<Norm> norm, Channels input, Channels output, int stride, Dropout dropout,
                       bool firstReader)
    : input_(input), output_(output), stride_(stride), dropout_(dropout), firstReader_(firstReader),
      norm_(std::move(norm)) {}

void Activation::prepare(Executor&, bool training) {
  if (!training) norm_->useRunning();
}

void Activation::forward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  if (pass.training) norm_->useBatch(input, !pass.again);
  const Split tasks = tileTasks(output, 1);
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* sampled = scratch.take(kTile);
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      float* to = output.tile(tile) + output_.first * kTile;
      if (stride_ == 1) {
        normalizeRows<Single>(input.tile(tile) + input_.first * kTile, input_.count, norm_->scale(), norm_->shift(), to);
      } else {
        const TileOffsets offsets = sampledOffsets(output, tile, input, stride_);
        for (int c = 0; c < input_.count; ++c) {
          gather(input.data + (input_.first + c) * kTile, offsets, sampled);
          normalizeRows<Single>(sampled, 1, norm_->scale() + c, norm_->shift() + c, to + c * kTile);
        }
      }
      if (dropout_.active(pass.training)) dropout_.applyTile(pass.dropout, to, output_.count, output, tile);
    }
  });
}

void Activation::backward(const Pass& pass) {
  FeatureMap& input = pass.map(input_.map);
  const Split tasks = tileTasks(input, 1);
  std::vector<std::vector<NormSums>> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    NormVectors sums(input_.count);
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) backwardTile(pass, tile, sums);
    parts[task] = sums.sums();
  });
  norm_->finish(input, parts);
}

void Activation::backwardTile(const Pass& pass, int tile, NormVectors& sums) const {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const TileMask mask(0, input.lanes(tile));
  TileOffsets offsets;
  if (stride_ != 1) offsets = samplingOffsets(input, tile, output, stride_);
  const float* x = input.tile(tile) + input_.first * kTile;
  float* to = input.gradientTile(tile) + input_.first * kTile;
  float sampled[kTile];
  const Vec kept = splat(dropout_.scale(pass.training));
  for (int c = 0; c < input_.count; ++c, x += kTile, to += kTile) {
    const float* incoming = sampled;
    if (stride_ == 1)
      incoming = output.gradientTile(tile) + (output_.first + c) * kTile;
    else
      gather(output.gradient + (output_.first + c) * kTile, offsets, sampled);
    const Vec scale = splat(norm_->scale()[c]), shift = splat(norm_->shift()[c]), center = splat(norm_->center()[c]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int at = v * kLanes;
      const Vec pixels = load(x + at);
      const IntVec active = (pixels * scale + shift > Vec{}) & mask.vectors[v];
      const Vec g = keep(active, load(incoming + at) * kept), scaled = g * scale;
      store(to + at, firstReader_ ? scaled : load(to + at) + scaled);
      sums.gradient[c] += g;
      sums.product[c] += g * (pixels - center);
    }
  }
}

}  // namespace densenet
