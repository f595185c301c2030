// The forward pass of the Winograd convolution.
#include <cstring>

#include "winograd.h"

namespace densenet {

namespace {

/** Channels that are read from the feature map at a time. */
constexpr int kReadChannels = 8;

}  // namespace

template <int N>
WinogradForward<N>::WinogradForward(const WinogradSpec& spec)
    : spec_(spec), shape_(spec.height, spec.width), weights_(kFrequencies<N>, spec.output.count, spec.input.count) {}

template <int N>
void WinogradForward<N>::prepare(Executor& executor) {
  values_.resize(weights_.floats());
  transform(executor, values_.data());
}

template <int N>
void WinogradForward<N>::transform(Executor& executor, float* values) const {
  weights_.fill<N>(executor, values,
                   [&](int output, int input, int tap) { return spec_.filters.filter(output, input)[tap]; });
}

/** What a thread needs while it takes strips. */
template <int N>
struct WinogradForward<N>::Memory {
  Memory(const WinogradForward& pass, Scratch& scratch)
      : panels(scratch.take(static_cast<size_t>(pass.weights_.mostDepth()) * pass.shape_.channelStride)),
        sums(scratch.take(static_cast<size_t>(pass.weights_.mostRows()) * pass.shape_.channelStride)),
        working(scratch.take(pass.shape_.workingFloats())),
        pixels(scratch.take(static_cast<size_t>(kReadChannels) * pass.pixelFloats())) {
    std::fill(working, working + pass.shape_.workingFloats(), 0.0f);
  }

  /** Blocks of tiles of channels and of rows. */
  float *panels, *sums;
  /** For the transforms of a channel, and some channels' pixels. */
  float *working, *pixels;
};

template <int N>
void WinogradForward<N>::run(const Pass& pass) {
  FeatureMap &input = pass.map(spec_.input.map), &output = pass.map(spec_.output.map);
  if (!pass.training && output.images() == 1) {  // several images are tasks already; one has strips
    std::vector<Strip> strips;
    shape_.forStrips(0, 1, [&](const Strip& strip) { strips.push_back(strip); });
    pass.executor.forEach(static_cast<int>(strips.size()), [&](int task, Scratch& scratch) {
      runStrip(pass, strips[task], Memory(*this, scratch));
    });
    return;
  }
  if (pass.training) {
    spec_.norm->useBatch(input, true);
    pass.activations.weights.reserve(weights_.floats());
    transform(pass.executor, pass.activations.weights.data());
  }
  forwardImages(pass, spec_.filters, spec_.output, [&](int first, int end, MomentSums& moments, Scratch& scratch) {
    scratch.reset();
    const Memory memory(*this, scratch);
    shape_.forStrips(first, end, [&](const Strip& strip) {
      runStrip(pass, strip, memory);
      if (!pass.training) return;
      const PixelRun run = shape_.pixels(strip);
      forRuns(run.first, run.count, [&](int tile, int lane, int, int length) {
        moments.add(output.tile(tile) + spec_.output.first * kTile, lane, lane + length);
      });
    });
  });
}

template <int N>
void WinogradForward<N>::runStrip(const Pass& pass, const Strip& strip, const Memory& memory) const {
  const FeatureMap& input = pass.map(spec_.input.map);
  const Runs &rows = weights_.rowBlocks(), &depth = weights_.depthBlocks();
  const int blocks = shape_.blocks(strip);
  const float* weights = pass.training ? pass.activations.weights.data() : values_.data();
  const PixelRun run = shape_.pixels(strip), next{run.first + run.count, run.count};
  for (int r = 0; r < rows.count(); ++r) {
    for (int d = 0; d < depth.count(); ++d) {
      if (r == 0 || depth.count() > 1) loadWindows(input, strip, depth.start(d), depth.size(d), memory);
      const bool last = d + 1 == depth.count();
      const int ahead = last ? 0 : d + 1;
      for (int f = 0; f < kFrequencies<N>; ++f) {
        forTilesOf(last ? next : run, f, kFrequencies<N>, [&](int tile) {
          prefetch(input.tile(tile) + (spec_.input.first + depth.start(ahead)) * kTile, depth.size(ahead) * kTile);
        });
        weights_.multiply(weights, r, d, f, memory.panels, memory.sums, shape_.channelStride, blocks);
      }
    }
    storeOutputs(pass, strip, rows.start(r), rows.size(r), memory);
  }
}

template <int N>
void WinogradForward<N>::loadWindows(const FeatureMap& input, const Strip& strip, int first, int count,
                                     const Memory& memory) const {
  const PixelRun run = shape_.reach(strip);
  const int firstTile = run.firstTile(), lastTile = run.lastTile();
  const int lane = static_cast<int>(run.first % kTile), floats = pixelFloats();
  const ptrdiff_t ahead = 2 * input.tileStride();
  for (int start = 0; start < count; start += kReadChannels) {
    const int end = std::min(start + kReadChannels, count), channel = first + start;
    const float *scale = spec_.norm->scale() + channel, *shift = spec_.norm->shift() + channel;
    for (int t = firstTile; t <= lastTile; ++t) {
      const float* from = input.tile(t) + (spec_.input.first + channel) * kTile;
      float* to = memory.pixels + (t - firstTile) * kTile;
      prefetchNear(from + ahead, (end - start) * kTile);
      for (int c = 0; c < end - start; ++c) {
        const Vec a = splat(scale[c]), b = splat(shift[c]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
          store(to + c * floats + v * kLanes, relu(load(from + c * kTile + v * kLanes) * a + b));
      }
    }
    for (int c = start; c < end; ++c)
      shape_.windows(strip, memory.pixels + (c - start) * floats + lane, memory.working,
                     memory.panels + c * shape_.channelStride);
  }
}

template <int N>
void WinogradForward<N>::storeOutputs(const Pass& pass, const Strip& strip, int first, int count,
                                      const Memory& memory) const {
  const FeatureMap& output = pass.map(spec_.output.map);
  const PixelRun run = shape_.pixels(strip);
  const int imagePixels = output.imagePixels(), inside = kTileHeight * strip.band * shape_.width;
  for (int r = 0; r < count; ++r) {
    const int o = first + r;
    shape_.outputs(strip, memory.sums + r * shape_.channelStride, memory.pixels);
    if (spec_.dropout.active(pass.training))
      for (int i = 0; i < strip.images; ++i) {
        const int64_t image = int64_t{strip.image + i} * spec_.output.count + o;
        spec_.dropout.apply(pass.dropout, memory.pixels + i * imagePixels, std::min(imagePixels, run.count),
                            static_cast<uint32_t>(image * imagePixels + inside));
      }
    forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
      float* to = output.tile(tile) + (spec_.output.first + o) * kTile;
      const float* from = memory.pixels + pixel;
      if (length == kTile)
        std::memcpy(to, from, kTile * sizeof(float));
      else
        std::memcpy(to + lane, from, length * sizeof(float));
    });
  }
}

template class WinogradForward<2>;
template class WinogradForward<4>;

}  // namespace densenet
