#include "residual_sum.h"

#include "tasks.h"

namespace densenet {

ResidualSum::ResidualSum(Summand branch, Summand shortcut, Channels output, Options options)
    : branch_(std::move(branch)), shortcut_(std::move(shortcut)), output_(output), options_(options) {}

void ResidualSum::prepare(Executor&, bool training) {
  if (training) return;
  for (Summand* summand : {&branch_, &shortcut_}) summand->norm->useRunning();
}

void ResidualSum::forward(const Pass& pass) {
  FeatureMap& output = pass.map(output_.map);
  const bool branch = !pass.training || pass.activations.survives(options_.unit);
  if (pass.training) {
    if (branch) branch_.norm->useBatch(pass.map(branch_.map), true);
    shortcut_.norm->useBatch(pass.map(shortcut_.map), true);
  }
  const bool statistics = pass.training && !options_.relu;
  const Split tasks = tileTasks(output, 1);
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    MomentSums moments(statistics ? output_.count : 0);
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      addTile(pass, tile, branch);
      if (statistics) moments.add(output.tile(tile) + output_.first * kTile, 0, output.lanes(tile));
    }
    if (statistics) parts[task] = moments.part();
  });
  if (statistics) output.setMoments(output_.first, parts);
}

void ResidualSum::addTile(const Pass& pass, int tile, bool branch) const {
  const float* a = branch ? pass.map(branch_.map).tile(tile) : nullptr;
  const float* s = pass.map(shortcut_.map).tile(tile);
  float* to = pass.map(output_.map).tile(tile) + output_.first * kTile;
  const Norm &branchNorm = *branch_.norm, &shortcutNorm = *shortcut_.norm;
  const float share = pass.training ? 1 : static_cast<float>(options_.survival);
  for (int c = 0; c < output_.count; ++c, s += kTile, to += kTile) {
    const Vec scale = splat(shortcutNorm.scale()[c]), shift = splat(shortcutNorm.shift()[c]);
    const Vec branchScale = splat(share * branchNorm.scale()[c]), branchShift = splat(share * branchNorm.shift()[c]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      Vec y = load(s + v * kLanes) * scale + shift;
      if (branch) y += load(a + c * kTile + v * kLanes) * branchScale + branchShift;
      store(to + v * kLanes, options_.relu ? relu(y) : y);
    }
  }
}

struct ResidualSum::Sums {
  NormVectors branch, shortcut;
};

void ResidualSum::backward(const Pass& pass) {
  FeatureMap& output = pass.map(output_.map);
  const bool branch = pass.activations.survives(options_.unit);
  const GradientTerms terms(output, output_.first, output_.count);
  const Split tasks = tileTasks(output, 1);
  std::vector<std::vector<NormSums>> branchParts(static_cast<size_t>(tasks.count)), shortcutParts(branchParts);
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    Sums sums{NormVectors(output_.count), NormVectors(output_.count)};
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile)
      backwardTile(pass, tile, terms, branch, sums);
    branchParts[task] = sums.branch.sums();
    shortcutParts[task] = sums.shortcut.sums();
  });
  output.clearDeferred();
  if (branch) branch_.norm->finish(pass.map(branch_.map), branchParts);
  shortcut_.norm->finish(pass.map(shortcut_.map), shortcutParts);
}

namespace {

/** Gradient g at a batch normalisation's output, to its input's, and to its sums. */
DENSENET_INLINE void backwardNorm(const Norm& norm, int channel, Vec g, const float* x, float* to, NormVectors& sums) {
  store(to, g * splat(norm.scale()[channel]));
  sums.gradient[channel] += g;
  sums.product[channel] += g * (load(x) - splat(norm.center()[channel]));
}

}  // namespace

void ResidualSum::backwardTile(const Pass& pass, int tile, const GradientTerms& terms, bool branch,
                               Sums& sums) const {
  const FeatureMap &output = pass.map(output_.map), &a = pass.map(branch_.map), &s = pass.map(shortcut_.map);
  const bool branchNormalized = branch && branch_.norm->active(), shortcutNormalized = shortcut_.norm->active();
  const TileMask mask(0, output.lanes(tile));
  for (int c = 0; c < output_.count; ++c) {
    const size_t row = static_cast<size_t>(c) * kTile;
    const float* y = output.tile(tile) + output_.first * kTile + row;
    float* gradient = output.gradientTile(tile) + output_.first * kTile + row;
    const Vec offset = splat(terms.offset[c]), slope = splat(terms.slope[c]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const int at = v * kLanes;
      const Vec sum = load(y + at);
      const IntVec active = options_.relu ? mask.vectors[v] & (sum > Vec{}) : mask.vectors[v];
      const Vec g = keep(active, load(gradient + at) + (sum * slope + offset));
      store(gradient + at, g);
      if (branchNormalized)
        backwardNorm(*branch_.norm, c, g, a.tile(tile) + row + at, a.gradientTile(tile) + row + at, sums.branch);
      if (shortcutNormalized)
        backwardNorm(*shortcut_.norm, c, g, s.tile(tile) + row + at, s.gradientTile(tile) + row + at, sums.shortcut);
    }
  }
}

}  // namespace densenet
