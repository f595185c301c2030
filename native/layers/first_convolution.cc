#include "first_convolution.h"

#include "../kernels/products.h"
#include "tasks.h"

namespace densenet {

namespace {

Split rowGroups(int rows) { return Split::into(rows, kRows); }

}  // namespace

template <class Operand>
FirstConvolution<Operand>::FirstConvolution(Parameters& parameters, int channels, int height, int width,
                                            Channels output, ConvolutionWindow window, double outputPixels)
    : parameters_(parameters), channels_(channels), height_(height), width_(width), output_(output), window_(window),
      outputPixels_(outputPixels), depth_(channels * window.kernel * window.kernel),
      weights_(parameters.add(static_cast<size_t>(depth_) * output.count, true)),
      packed_(static_cast<size_t>(wordsOf<Operand>(depth_)) * output.count) {}

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

/** The inputs of each output pixel of a tile, [depth][kTile]; 0 outside the image. */
template <class Operand>
void FirstConvolution<Operand>::gather(const Pass& pass, int tile, float* panel) const {
  const FeatureMap& output = pass.map(output_.map);
  const int64_t imagePixels = output.imagePixels();
  for (int lane = 0; lane < kTile; ++lane) {
    const bool valid = lane < output.lanes(tile);
    const int64_t pixel = valid ? static_cast<int64_t>(tile) * kTile + lane : 0;
    const int inside = static_cast<int>(pixel % imagePixels);
    const int top = inside / output.width() * window_.stride - window_.padding;
    const int left = inside % output.width() * window_.stride - window_.padding;
    const float* plane = pass.activations.images + pixel / imagePixels * channels_ * height_ * width_;
    float* to = panel + lane;
    for (int c = 0; c < channels_; ++c, plane += height_ * width_)
      for (int y = top; y < top + window_.kernel; ++y)
        for (int x = left; x < left + window_.kernel; ++x, to += kTile)
          *to = valid && y >= 0 && y < height_ && x >= 0 && x < width_ ? plane[y * width_ + x] : 0;
  }
}

template <class Operand>
void FirstConvolution<Operand>::forward(const Pass& pass) {
  FeatureMap& output = pass.map(output_.map);
  const Split tasks = tileTasks(output, static_cast<int64_t>(depth_) * output_.count);
  const Split groups = rowGroups(output_.count);
  const int words = wordsOf<Operand>(depth_);
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* panel = scratch.take(static_cast<size_t>(depth_) * kTile);
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
    float* panel = scratch.take(static_cast<size_t>(depth_) * kTile);
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
