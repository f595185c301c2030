#include "winograd.h"

#include <cstring>

namespace densenet {

namespace {

/** The most channels of a block of the products, and the most rows where there is one such block or more. */
constexpr int kMostDepth = 64, kMostRows = 2 * kRows, kMostSummedRows = 96;
/** Channels that are read from the feature map at a time. */
constexpr int kReadChannels = 8;

/** With several blocks of depth all rows of a block keep their sums meanwhile, so it pays that they are many. */
Split rowSplit(int rows, int depth) { return Split::into(rows, depth > kMostDepth ? kMostSummedRows : kMostRows); }

}  // namespace

FrequencyWeights::FrequencyWeights(int rows, int depth)
    : rows_(rowSplit(rows, depth)), depth_(Split::into(depth, kMostDepth)),
      values_(size_t{kFrequencies} * rows * depth) {}

void FrequencyWeights::multiply(int rowBlock, int depthBlock, int frequency, const float* panels, float* sums,
                                ptrdiff_t channelStride, int blocks) const {
  const int depth = depth_.size(depthBlock), rows = rows_.size(rowBlock);
  const Split groups = Split::into(rows, kRows);
  const float* weights = values_.data() + offset(rowBlock, depthBlock) + static_cast<size_t>(frequency) * rows * depth;
  panels += frequency * kTile;
  sums += frequency * kTile;
  for (int g = 0; g < groups.count; ++g) {
    withRows(groups.size(g), [&](auto m) {
      float* to = sums + groups.start(g) * channelStride;
      for (int b = 0; b < blocks; ++b, to += kBlockFloats) {
        Block<m> block;
        if (depthBlock == 0)
          clear(block);
        else
          read(block, to, channelStride);
        multiplyPanel(block, depth, weights, panels + b * kBlockFloats, channelStride);
        write(block, to, channelStride);
      }
    });
    weights += groups.size(g) * depth;
  }
}

bool WinogradConvolution3::pays(int inputs, int outputs, int height, int width) {
  constexpr int kLeastChannels = 8;  // below, the transforms cost more than the products save
  constexpr double kLeastGain = 1.5;
  const int tiles = ((height + 1) / 2) * ((width + 1) / 2);
  const double gain = 9.0 * height * width / (double{kFrequencies} * roundUp(tiles, kTile));
  return std::min(inputs, outputs) >= kLeastChannels && gain >= kLeastGain;
}

WinogradConvolution3::WinogradConvolution3(Parameters& parameters, ConvolutionSpec spec)
    : input_(spec.input), output_(spec.output), dropout_(spec.dropout), firstReader_(spec.firstReader),
      shape_(spec.height, spec.width), norm_(std::move(spec.norm)),
      filters_(parameters, spec.weights, input_.count, output_.count),
      forwardWeights_(output_.count, input_.count), backwardWeights_(input_.count, output_.count) {}

void WinogradConvolution3::prepare(Executor& executor, bool training) {
  const float* weights = filters_.values();  // [output][input][tap]
  const auto transform = [&](int output, int input, float* to) {
    transformWeights(weights + (static_cast<size_t>(output) * input_.count + input) * kTaps, to);
  };
  const auto fill = [&](FrequencyWeights& target, auto&& weight) {
    const int rowBlocks = target.rowBlocks().count;
    executor.forEach(rowBlocks * target.depthBlocks().count,
                     [&](int task, Scratch&) { target.fill(task % rowBlocks, task / rowBlocks, weight); });
  };
  fill(forwardWeights_, transform);
  if (!training) {
    norm_->useRunning();
    return;
  }
  fill(backwardWeights_, [&](int input, int output, float* to) {
    float transformed[kFrequencies];
    transform(output, input, transformed);
    for (int f = 0; f < kFrequencies; ++f) to[turnedFrequency(f)] = transformed[f];
  });
}

/** What a thread needs while it takes strips forward. */
struct WinogradConvolution3::ForwardMemory {
  ForwardMemory(const WinogradConvolution3& layer, const FrequencyWeights& weights, Scratch& scratch)
      : panels(scratch.take(layer.transformedFloats(weights.mostDepth()))),
        sums(scratch.take(layer.transformedFloats(weights.mostRows()))),
        planes(scratch.take(layer.shape_.planeFloats())),
        pixels(scratch.take(static_cast<size_t>(kReadChannels) * layer.pixelFloats() + kTile) + kTile) {}

  /** Blocks of tiles of channels and of rows. */
  float *panels, *sums;
  /** One channel's planes, and some channels' pixels. */
  float *planes, *pixels;
};

void WinogradConvolution3::forward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  if (pass.training) norm_->useBatch(input, true);
  forwardImages(pass, filters_, output_, [&](int first, int end, MomentSums& moments, Scratch& scratch) {
    scratch.reset();
    const ForwardMemory memory(*this, forwardWeights_, scratch);
    shape_.forStrips(first, end, [&](const Strip& strip) {
      forwardStrip(pass, strip, memory);
      if (!pass.training) return;
      const PixelRun run = shape_.pixels(strip);
      forRuns(run.first, run.count, [&](int tile, int lane, int, int length) {
        moments.add(output.tile(tile) + output_.first * kTile, lane, lane + length);
      });
    });
  });
}

void WinogradConvolution3::forwardStrip(const Pass& pass, const Strip& strip, const ForwardMemory& memory) const {
  const FeatureMap& input = pass.map(input_.map);
  const Split &rows = forwardWeights_.rowBlocks(), &depth = forwardWeights_.depthBlocks();
  const int blocks = strip.images * shape_.blocks(strip);
  const PixelRun run = shape_.pixels(strip), next{run.first + run.count, run.count};
  for (int r = 0; r < rows.count; ++r) {
    for (int d = 0; d < depth.count; ++d) {
      if (r == 0 || depth.count > 1) loadWindows(input, strip, depth.start(d), depth.size(d), memory);
      const bool last = d + 1 == depth.count;
      const int ahead = last ? 0 : d + 1;
      for (int f = 0; f < kFrequencies; ++f) {
        forTilesOf(last ? next : run, f, [&](int tile) {
          prefetch(input.tile(tile) + (input_.first + depth.start(ahead)) * kTile, depth.size(ahead) * kTile);
        });
        forwardWeights_.multiply(r, d, f, memory.panels, memory.sums, shape_.channelStride, blocks);
      }
    }
    storeOutputs(pass, strip, rows.start(r), rows.size(r), memory);
  }
}

void WinogradConvolution3::loadWindows(const FeatureMap& input, const Strip& strip, int first, int count,
                                       const ForwardMemory& memory) const {
  const PixelRun run = shape_.reach(strip);
  const int firstTile = run.firstTile(), lastTile = run.lastTile();
  const int lane = static_cast<int>(run.first % kTile), floats = pixelFloats();
  for (int start = 0; start < count; start += kReadChannels) {
    const int end = std::min(start + kReadChannels, count), channel = first + start;
    const float *scale = norm_->scale() + channel, *shift = norm_->shift() + channel;
    for (int t = firstTile; t <= lastTile; ++t) {
      const float* from = input.tile(t) + (input_.first + channel) * kTile;
      float* to = memory.pixels + (t - firstTile) * kTile;
      for (int c = 0; c < end - start; ++c) {
        const Vec a = splat(scale[c]), b = splat(shift[c]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
          store(to + c * floats + v * kLanes, relu(load(from + c * kTile + v * kLanes) * a + b));
      }
    }
    for (int c = start; c < end; ++c) {
      shape_.rows<false>(strip, memory.pixels + (c - start) * floats + lane, memory.planes);
      shape_.windows(strip, memory.planes, memory.panels + c * shape_.channelStride);
    }
  }
}

void WinogradConvolution3::storeOutputs(const Pass& pass, const Strip& strip, int first, int count,
                                        const ForwardMemory& memory) const {
  const FeatureMap& output = pass.map(output_.map);
  const PixelRun run = shape_.pixels(strip);
  const int imagePixels = output.imagePixels(), inside = 2 * strip.row * shape_.width;
  for (int r = 0; r < count; ++r) {
    const int o = first + r;
    shape_.outputs(strip, memory.sums + r * shape_.channelStride, memory.planes, memory.pixels);
    if (dropout_.active(pass.training))
      for (int i = 0; i < strip.images; ++i)
        dropout_.apply(pass.dropout, memory.pixels + i * imagePixels, std::min(imagePixels, run.count),
                       static_cast<uint32_t>((int64_t{strip.image + i} * output_.count + o) * imagePixels + inside));
    forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
      float* to = output.tile(tile) + (output_.first + o) * kTile;
      const float* from = memory.pixels + pixel;
      if (length == kTile)
        std::memcpy(to, from, kTile * sizeof(float));
      else
        std::memcpy(to + lane, from, length * sizeof(float));
    });
  }
}

}  // namespace densenet
