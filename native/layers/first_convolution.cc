#include "first_convolution.h"

#include "../kernels/products.h"
#include "tasks.h"

namespace densenet {

namespace {

Split rowGroups(int rows) { return Split::into(rows, kRows); }

}  // namespace

template <class Operand>
FirstConvolution<Operand>::FirstConvolution(Parameters& parameters, int channels, int height, int width,
                                            Channels output, Window window)
    : parameters_(parameters), channels_(channels), output_(output), shape_(height, width, window),
      outputPixels_(static_cast<double>(window.outputs(height)) * window.outputs(width)), depth_(channels * window.kernel * window.kernel),
      weights_(parameters.add(static_cast<size_t>(depth_) * output.count, true)),
      packed_(static_cast<size_t>(wordsOf<Operand>(depth_)) * output.count) {
  for (int c = 0; c < channels; ++c)
    for (int i = 0; i < window.kernel; ++i)
      for (int j = 0; j < window.kernel; ++j) taps_.push_back(c * shape_.size + shape_.tap(i, j));
}

template <class Operand>
void FirstConvolution<Operand>::prepare(Executor&, bool) {
  constexpr int kTerms = Operand::kTerms;
  const float* weights = parameters_.values(weights_);  // [output][depth]
  const Split groups = rowGroups(output_.count);
  float* to = packed_.data();
  for (int g = 0; g < groups.count; ++g)
    for (int j = 0; j < depth_; j += kTerms)
      for (int m = 0; m < groups.size(g); ++m)
        *to++ = Operand::word(
            [&](int t) { return j + t < depth_ ? weights[(groups.start(g) + m) * depth_ + j + t] : 0; });
}

/** The inputs of each output pixel of a tile, [depth][kTile], 0 outside the image; writes up to a tile more. */
template <class Operand>
void FirstConvolution<Operand>::gather(const Pass& pass, int tile, float* panel) const {
  const FeatureMap& output = pass.map(output_.map);
  struct Piece {
    int lane;
    const float* from;
  };
  Piece pieces[kTile];  // the tile's pixels that lie side by side
  int count = 0;
  for (int lane = 0; lane < output.lanes(tile);) {
    const int64_t pixel = static_cast<int64_t>(tile) * kTile + lane;
    const int inside = static_cast<int>(pixel % output.imagePixels()), x = inside % output.width();
    const float* planes = pass.activations.imagePlanes.data() + pixel / output.imagePixels() * imageFloats();
    pieces[count++] = {lane, planes + shape_.output(inside / output.width(), x)};
    lane += output.width() - x;
  }
  for (int j = 0; j < depth_; ++j, panel += kTile)  // a piece overwrites what the one before wrote past its end
    for (int p = 0; p < count; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < kTile; v += kLanes)
        store(panel + pieces[p].lane + v, load(pieces[p].from + taps_[j] + v));
}

template <class Operand>
void FirstConvolution<Operand>::forward(const Pass& pass) {
  FeatureMap& output = pass.map(output_.map);
  const size_t pixels = static_cast<size_t>(shape_.height) * shape_.width;
  pass.activations.imagePlanes.reserve(static_cast<size_t>(output.images()) * imageFloats());
  pass.executor.forEach(output.images(), [&](int image, Scratch&) {
    for (int c = 0; c < channels_; ++c)
      shape_.deal(pass.activations.images + (static_cast<size_t>(image) * channels_ + c) * pixels, 0,
                  pass.activations.imagePlanes.data() + static_cast<size_t>(image) * imageFloats() + c * shape_.size);
  });
  const Split tasks = tileTasks(output, static_cast<int64_t>(depth_) * output_.count);
  const Split groups = rowGroups(output_.count);
  const int words = wordsOf<Operand>(depth_);
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* panel = scratch.take(static_cast<size_t>(depth_ + 1) * kTile);
    MomentSums moments(pass.training ? output_.count : 0);
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      gather(pass, tile, panel);
      if constexpr (Operand::kTerms > 1) packChannels<Operand>(panel, depth_, panel);
      float* rows = output.tile(tile) + output_.first * kTile;
      for (int g = 0; g < groups.count; ++g)
        withRows(groups.size(g), [&](auto m) {
          Block<m> block;
          clear(block);
          multiplyPanel<Operand>(block, words, packed_.data() + groups.start(g) * words, panel);
          write(block, rows + groups.start(g) * kTile, kTile);
        });
      moments.add(rows, 0, output.lanes(tile));
    }
    parts[task] = moments.part();
  });
  if (pass.training) output.setMoments(output_.first, parts);
}

template <class Operand>
void FirstConvolution<Operand>::backward(const Pass& pass) {
  FeatureMap& output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const int padded = roundUp(output_.count, kLanes);
  const int64_t floats = static_cast<int64_t>(depth_) * padded;
  const Split tasks = tileTasks(output, floats), groups = rowGroups(depth_);
  pass.activations.partials.reserve(static_cast<size_t>(tasks.count * floats));
  float* partials = pass.activations.partials.data();
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* panel = scratch.take(static_cast<size_t>(depth_ + 1) * kTile);
    float* rows = scratch.take(static_cast<size_t>(output_.count) * kTile);
    float* transposed = scratch.take(static_cast<size_t>(padded) * kTileWords<Operand>);
    float* sum = partials + task * floats;
    std::fill(sum, sum + floats, 0.0f);
    const OuterShape shape{1, kTileWords<Operand>, kTileWords<Operand>, 0, padded, 0};
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      gather(pass, tile, panel);
      if constexpr (Operand::kTerms > 1) packPixels<Operand>(panel, depth_, panel);
      loadGradient(output, output_.first, terms, tile, rows);
      transposeRows<Operand>(rows, output_.count, transposed, padded);
      for (int g = 0; g < groups.count; ++g)
        for (int o = 0; o < padded; o += kTile)
          withRows(groups.size(g), [&](auto m) {
            withVectors(std::min(kVectors, (padded - o) / kLanes), [&](auto v) {
              Block<m, v> block;
              float* to = sum + groups.start(g) * padded + o;
              read(block, to, padded);
              addOuterProducts<Operand>(block, shape, panel + groups.start(g) * kTileWords<Operand>, transposed + o);
              write(block, to, padded);
            });
          });
    }
  });
  const Gradient gradient = parameters_.gradient(weights_);
  for (int j = 0; j < depth_; ++j)
    for (int o = 0; o < output_.count; ++o) {
      float sum = 0;
      for (int task = 0; task < tasks.count; ++task) sum += partials[task * floats + j * padded + o];
      gradient.put(static_cast<size_t>(o) * depth_ + j, sum);
    }
}

template class FirstConvolution<Single>;
template class FirstConvolution<BfloatPairs>;

}  // namespace densenet
