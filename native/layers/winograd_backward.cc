// The backward pass of the Winograd convolution.
#include "winograd.h"

namespace densenet {

template <int N>
WinogradBackward<N>::WinogradBackward(const WinogradSpec& spec)
    : spec_(spec), shape_(spec.height, spec.width), weights_(kFrequencies<N>, spec.input.count, spec.output.count) {}

/** What a thread needs while it takes strips. */
template <int N>
struct WinogradBackward<N>::Memory {
  Memory(const WinogradBackward& pass, Scratch& scratch)
      : weightStep(static_cast<ptrdiff_t>(pass.spec_.output.count) * kTile + 16),
        panels(scratch.take(static_cast<size_t>(pass.weights_.mostDepth()) * pass.shape_.channelStride)),
        sums(scratch.take(static_cast<size_t>(pass.weights_.mostRows()) * pass.shape_.channelStride)),
        gradients(scratch.take(static_cast<size_t>(pass.spec_.output.count) * pass.shape_.channelStride)),
        channels(scratch.take(static_cast<size_t>(pass.shape_.mostTiles()) * StripShape<N>::kTransformed)),
        weights(scratch.take(kFrequencies<N> * weightStep)), working(scratch.take(pass.shape_.workingFloats())),
        pixels(scratch.take(static_cast<size_t>(kRows) * pass.pixelFloats())),
        padded(scratch.take(static_cast<size_t>(pass.shape_.paddedPixels()) * kTile)),
        columns(scratch.take(static_cast<size_t>(kWindowHeight) * pass.shape_.paddedColumns() * kLanes)) {
    std::fill(working, working + pass.shape_.workingFloats(), 0.0f);
    std::fill(padded, padded + static_cast<size_t>(pass.shape_.paddedPixels()) * kTile, 0.0f);
  }

  /** From one frequency of the weights' gradient to the next: a line more than it takes, not all to the same sets. */
  ptrdiff_t weightStep;
  /** Blocks of tiles, of the data gradient's outputs and inputs, and of the weights' gradient's outputs. */
  float *panels, *sums, *gradients;
  /** Of the weights' gradient: the inputs' tiles with channels in the lanes, and [frequency][output][kTile inputs]. */
  float *channels, *weights;
  /** For the transforms of a channel, some channels' pixels, and zero-padded pixels, [row][column][kTile channels]. */
  float *working, *pixels, *padded;
  /** For the transform with channels in the lanes. */
  float* columns;
};

template <int N>
void WinogradBackward<N>::run(const Pass& pass) {
  FeatureMap &input = pass.map(spec_.input.map), &output = pass.map(spec_.output.map);
  const GradientTerms terms(output, spec_.output.first, spec_.output.count);
  pass.activations.weights.reserve(weights_.floats());
  weights_.fill<N>(pass.executor, pass.activations.weights.data(), [&](int input, int output, int tap) {
    return spec_.filters.filter(output, input)[kTaps - 1 - tap];
  });
  const auto run = [&](int first, int end, float* weightGradient, NormVectors& sums, Scratch& scratch) {
    scratch.reset();
    const Memory memory(*this, scratch);
    std::fill(weightGradient, weightGradient + spec_.filters.gradientFloats(), 0.0f);
    shape_.forStrips(first, end, [&](const Strip& strip) {
      runStrip(pass, terms, strip, memory, sums);
      addWeightGradients(input, strip, memory, weightGradient);
    });
  };
  backwardImages(pass, spec_.filters, *spec_.norm, input, output, run);
}

template <int N>
void WinogradBackward<N>::runStrip(const Pass& pass, const GradientTerms& terms, const Strip& strip,
                                   const Memory& memory, NormVectors& sums) const {
  FeatureMap& input = pass.map(spec_.input.map);
  const Runs &rows = weights_.rowBlocks(), &depth = weights_.depthBlocks();
  const int blocks = shape_.blocks(strip), floats = pixelFloats();
  const float* weights = pass.activations.weights.data();
  const PixelRun run = shape_.pixels(strip);
  for (int r = 0; r < rows.count(); ++r) {
    for (int d = 0; d < depth.count(); ++d) {
      if (r == 0 || depth.count() > 1) loadGradients(pass, terms, strip, depth.start(d), depth.size(d), memory);
      for (int f = 0; f < kFrequencies<N>; ++f) {
        if (d + 1 == depth.count())
          forTilesOf(run, f, kFrequencies<N>, [&](int tile) {
            const int offset = (spec_.input.first + rows.start(r)) * kTile, floats = rows.size(r) * kTile;
            prefetch(input.tile(tile) + offset, floats);
            prefetch<true>(input.gradientTile(tile) + offset, floats);
          });
        weights_.multiply(weights, r, d, f, memory.panels, memory.sums, shape_.channelStride, blocks);
      }
    }
    const Runs groups(Split::into(rows.size(r), kRows));
    for (int g = 0; g < groups.count(); ++g) {
      for (int m = 0; m < groups.size(g); ++m)
        shape_.outputs(strip, memory.sums + (groups.start(g) + m) * shape_.channelStride, memory.pixels + m * floats);
      storeInputGradients(input, strip, rows.start(r) + groups.start(g), groups.size(g), memory.pixels, sums);
    }
  }
}

template <int N>
void WinogradBackward<N>::loadGradients(const Pass& pass, const GradientTerms& terms, const Strip& strip, int first,
                                        int count, const Memory& memory) const {
  const FeatureMap& output = pass.map(spec_.output.map);
  const PixelRun run = shape_.reach(strip);
  const int firstTile = run.firstTile(), lastTile = run.lastTile();
  const int imagePixels = output.imagePixels(), inside = shape_.top(strip) * shape_.width;
  float* pixels = memory.pixels + run.first % kTile;
  for (int c = 0; c < count; ++c) {
    const int o = first + c;
    const Vec offset = splat(terms.offset[o]), slope = splat(terms.slope[o]);
    for (int t = firstTile; t <= lastTile; ++t) {
      const float* gradient = output.gradientTile(t) + (spec_.output.first + o) * kTile;
      const float* data = output.tile(t) + (spec_.output.first + o) * kTile;
      float* to = memory.pixels + (t - firstTile) * kTile;
#pragma GCC unroll 4
      for (int v = 0; v < kTile; v += kLanes) store(to + v, load(gradient + v) + (load(data + v) * slope + offset));
    }
    if (spec_.dropout.active(pass.training))
      for (int i = 0; i < strip.images; ++i) {
        const int64_t image = int64_t{strip.image + i} * spec_.output.count + o;
        spec_.dropout.apply(pass.dropout, pixels + i * imagePixels, std::min(imagePixels, run.count),
                            static_cast<uint32_t>(image * imagePixels + inside));
      }
    shape_.windows(strip, pixels, memory.working, memory.panels + c * shape_.channelStride);
    shape_.gradients(strip, pixels, memory.working, memory.gradients + o * shape_.channelStride);
  }
}

template <int N>
void WinogradBackward<N>::storeInputGradients(FeatureMap& input, const Strip& strip, int first, int count,
                                              const float* pixels, NormVectors& sums) const {
  const PixelRun run = shape_.pixels(strip);
  const int floats = pixelFloats();
  const bool firstReader = spec_.firstReader;
  const ptrdiff_t ahead = 2 * input.tileStride();
  const Norm& norm = *spec_.norm;
  const float *scales = norm.scale() + first, *shifts = norm.shift() + first, *centers = norm.center() + first;
  Vec *gradientSums = sums.gradient.data() + first, *productSums = sums.product.data() + first;
  forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
    const float* x = input.tile(tile) + (spec_.input.first + first) * kTile;
    float* to = input.gradientTile(tile) + (spec_.input.first + first) * kTile;
    const float* from = pixels + pixel;
    prefetchNear(x + ahead, count * kTile);
    prefetchNear<true>(to + ahead, count * kTile);
    for (int c = 0; c < count; ++c, x += kTile, to += kTile, from += floats) {
      if (length != kTile) {  // other lanes are another strip's, perhaps in the hands of another thread
        float gradientSum = 0, productSum = 0;
        for (int i = 0; i < length; ++i) {
          const float g = x[lane + i] * scales[c] + shifts[c] > 0 ? from[i] : 0;
          to[lane + i] = firstReader ? g * scales[c] : to[lane + i] + g * scales[c];
          gradientSum += g;
          productSum += g * (x[lane + i] - centers[c]);
        }
        gradientSums[c][0] += gradientSum;
        productSums[c][0] += productSum;
        continue;
      }
      const Vec scale = splat(scales[c]), shift = splat(shifts[c]), center = splat(centers[c]);
      Vec gradientSum = gradientSums[c], productSum = productSums[c];
#pragma GCC unroll 4
      for (int v = 0; v < kTile; v += kLanes) {
        const Vec value = load(x + v), g = keep(value * scale + shift > Vec{}, load(from + v)), scaled = g * scale;
        store(to + v, firstReader ? scaled : load(to + v) + scaled);
        gradientSum += g;
        productSum += g * (value - center);
      }
      gradientSums[c] = gradientSum;
      productSums[c] = productSum;
    }
  });
}

template <int N>
void WinogradBackward<N>::addWeightGradients(const FeatureMap& input, const Strip& strip, const Memory& memory,
                                             float* weightGradient) const {
  const int padded = spec_.filters.paddedInputs(), outputs = spec_.output.count;
  const Runs groups(Split::into(outputs, kRows));
  constexpr int kStep = StripShape<N>::kTransformed;
  const OuterShape tiles{shape_.blocks(strip), kTile, shape_.channelStride, kBlockFloats<N>, kStep, kTile * kStep};
  clearEdges(strip, memory.padded);
  for (int c = 0; c < padded; c += kTile) {
    const int vectors = std::min(kVectors, (padded - c) / kLanes);
    loadChannels(input, strip, c, std::min(kTile, spec_.input.count - c), memory.padded);
    for (int v = 0; v < vectors; ++v)
      shape_.channels(strip, memory.padded + v * kLanes, memory.columns, memory.channels + v * kLanes);
    for (int f = 0; f < kFrequencies<N>; ++f)
      for (int g = 0; g < groups.count(); ++g) {
        const float* gradients = memory.gradients + groups.start(g) * shape_.channelStride + f * kTile;
        withRows(groups.size(g), [&](auto m) {
          withVectors(vectors, [&](auto v) {
            Block<m, v> sum;
            clear(sum);
            addOuterProducts(sum, tiles, gradients, memory.channels + f * kTile);
            write(sum, memory.weights + f * memory.weightStep + groups.start(g) * kTile, kTile);
          });
        });
      }
    for (int o = 0; o < outputs; ++o)
      for (int v = 0; v < vectors * kLanes; v += kLanes)
        addWeightGradient<N>(memory.weights + o * kTile + v, memory.weightStep,
                             weightGradient + static_cast<ptrdiff_t>(o) * kTaps * padded + c + v, padded);
  }
}

/** Zeros above and below the image, where another strip had pixels. */
template <int N>
void WinogradBackward<N>::clearEdges(const Strip& strip, float* padded) const {
  const ptrdiff_t row = static_cast<ptrdiff_t>(shape_.paddedColumns()) * kTile;
  for (int i = 0; i < strip.images; ++i, padded += shape_.paddedRows() * row)
    for (int r = 0; r < kTileHeight * strip.bands + 2; ++r) {
      const int y = kTileHeight * strip.band - 1 + r;
      if (y < 0 || y >= shape_.height) std::fill(padded + r * row, padded + (r + 1) * row, 0.0f);
    }
}

/** Normalised pixels of channels first … first+count−1 to [row][column][kTile]; what is around them stays. */
template <int N>
void WinogradBackward<N>::loadChannels(const FeatureMap& input, const Strip& strip, int first, int count,
                                       float* to) const {
  const float *scale = spec_.norm->scale() + first, *shift = spec_.norm->shift() + first;
  const int* positions = shape_.paddedPositions(strip);
  const PixelRun run = shape_.reach(strip);
  const ptrdiff_t ahead = 2 * input.tileStride();
  forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
    const float* from = input.tile(tile) + (spec_.input.first + first) * kTile;
    prefetchNear(from + ahead, count * kTile);
    for (int c = 0; c < count; c += kLanes)
      for (int v = 0; v < kVectors; ++v) {
        Vec square[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i)
          square[i] = c + i < count ? relu(load(from + (c + i) * kTile + v * kLanes) * splat(scale[c + i]) +
                                           splat(shift[c + i]))
                                    : Vec{};
        transpose(square);
        const int begin = std::max(0, lane - v * kLanes), end = std::min(kLanes, lane + length - v * kLanes);
        for (int i = begin; i < end; ++i)
          store(to + static_cast<ptrdiff_t>(positions[pixel - lane + v * kLanes + i]) * kTile + c, square[i]);
      }
  });
}

template class WinogradBackward<2>;
template class WinogradBackward<4>;

}  // namespace densenet
