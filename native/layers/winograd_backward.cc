// The backward pass of the Winograd convolution.
#include "winograd.h"

namespace densenet {

namespace {

/** Floats from one tile's channels to the next's. A line more than they take: not all to the same sets of the cache. */
constexpr int kTransformed = kFrequencies * kTile + 16;

}  // namespace

/** What a thread needs while it takes strips backward. */
struct WinogradConvolution3::BackwardMemory {
  BackwardMemory(const WinogradConvolution3& layer, const FrequencyWeights& weights, Scratch& scratch)
      : weightStep(static_cast<ptrdiff_t>(layer.output_.count) * layer.filters_.paddedInputs()),
        panels(scratch.take(layer.transformedFloats(weights.mostDepth()))),
        sums(scratch.take(layer.transformedFloats(weights.mostRows()))),
        gradients(scratch.take(layer.transformedFloats(layer.output_.count))),
        channels(scratch.take(static_cast<size_t>(layer.shape_.stripImages()) * layer.shape_.mostTiles() * kTransformed)),
        weights(scratch.take(kFrequencies * weightStep)), planes(scratch.take(layer.shape_.planeFloats())),
        pixels(scratch.take(static_cast<size_t>(kRows) * layer.pixelFloats() + kTile) + kTile),
        padded(scratch.take(static_cast<size_t>(layer.shape_.paddedPixels()) * kTile)) {}

  /** From one frequency to the next. */
  ptrdiff_t weightStep;
  /** Blocks of tiles, of the data gradient's outputs and inputs, and of the weights' gradient's outputs. */
  float *panels, *sums, *gradients;
  /** Of the weights' gradient: [tile, kTransformed apart][frequency][kTile] and [frequency][output][input]. */
  float *channels, *weights;
  /** One channel's planes, some channels' pixels, and zero-padded pixels of kTile channels: [row][column][kTile]. */
  float *planes, *pixels, *padded;
};

void WinogradConvolution3::backward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const auto run = [&](int first, int end, float* weightGradient, NormVectors& sums, Scratch& scratch) {
    scratch.reset();
    const BackwardMemory memory(*this, backwardWeights_, scratch);
    std::fill(memory.weights, memory.weights + kFrequencies * memory.weightStep, 0.0f);
    std::fill(memory.padded, memory.padded + static_cast<size_t>(shape_.paddedPixels()) * kTile, 0.0f);
    shape_.forStrips(first, end, [&](const Strip& strip) { backwardStrip(pass, terms, strip, memory, sums); });
    storeWeightGradient(memory.weights, weightGradient);
  };
  backwardImages(pass, filters_, *norm_, input, output, run);
}

void WinogradConvolution3::backwardStrip(const Pass& pass, const GradientTerms& terms, const Strip& strip,
                                         const BackwardMemory& memory, NormVectors& sums) const {
  FeatureMap& input = pass.map(input_.map);
  const Split &rows = backwardWeights_.rowBlocks(), &depth = backwardWeights_.depthBlocks();
  const int blocks = strip.images * shape_.blocks(strip), floats = pixelFloats();
  const PixelRun run = shape_.pixels(strip);
  for (int r = 0; r < rows.count; ++r) {
    for (int d = 0; d < depth.count; ++d) {
      if (r == 0 || depth.count > 1) loadGradients(pass, terms, strip, depth.start(d), depth.size(d), memory);
      for (int f = 0; f < kFrequencies; ++f) {
        if (d + 1 == depth.count)
          forTilesOf(run, f, [&](int tile) {
            prefetch(input.tile(tile) + (input_.first + rows.start(r)) * kTile, rows.size(r) * kTile);
            prefetch<true>(input.gradientTile(tile) + (input_.first + rows.start(r)) * kTile, rows.size(r) * kTile);
          });
        backwardWeights_.multiply(r, d, f, memory.panels, memory.sums, shape_.channelStride, blocks);
      }
    }
    const Split groups = Split::into(rows.size(r), kRows);
    for (int g = 0; g < groups.count; ++g) {
      for (int m = 0; m < groups.size(g); ++m)
        shape_.outputs(strip, memory.sums + (groups.start(g) + m) * shape_.channelStride, memory.planes,
                       memory.pixels + m * floats);
      storeInputGradients(input, strip, rows.start(r) + groups.start(g), groups.size(g), memory.pixels, sums);
    }
  }
  addWeightGradients(input, strip, memory);
}

void WinogradConvolution3::loadGradients(const Pass& pass, const GradientTerms& terms, const Strip& strip, int first,
                                         int count, const BackwardMemory& memory) const {
  const FeatureMap& output = pass.map(output_.map);
  const PixelRun run = shape_.reach(strip);
  const int firstTile = run.firstTile(), lastTile = run.lastTile();
  const int imagePixels = output.imagePixels(), inside = shape_.top(strip) * shape_.width;
  float* pixels = memory.pixels + run.first % kTile;
  for (int c = 0; c < count; ++c) {
    const int o = first + c;
    const Vec offset = splat(terms.offset[o]), slope = splat(terms.slope[o]);
    for (int t = firstTile; t <= lastTile; ++t) {
      const float* gradient = output.gradientTile(t) + (output_.first + o) * kTile;
      const float* data = output.tile(t) + (output_.first + o) * kTile;
      float* to = memory.pixels + (t - firstTile) * kTile;
#pragma GCC unroll 4
      for (int v = 0; v < kTile; v += kLanes) store(to + v, load(gradient + v) + (load(data + v) * slope + offset));
    }
    if (dropout_.active(pass.training))
      for (int i = 0; i < strip.images; ++i)
        dropout_.apply(pass.dropout, pixels + i * imagePixels, std::min(imagePixels, run.count),
                       static_cast<uint32_t>((int64_t{strip.image + i} * output_.count + o) * imagePixels + inside));
    shape_.rows<true>(strip, pixels, memory.planes);
    shape_.windows(strip, memory.planes, memory.panels + c * shape_.channelStride);
    shape_.gradients(strip, memory.planes, memory.gradients + o * shape_.channelStride);
  }
}

void WinogradConvolution3::storeInputGradients(FeatureMap& input, const Strip& strip, int first, int count,
                                               const float* pixels, NormVectors& sums) const {
  const PixelRun run = shape_.pixels(strip);
  const int floats = pixelFloats();
  const bool firstReader = firstReader_;
  const ptrdiff_t ahead = ptrdiff_t{2} * input.channels() * kTile;
  const float *scales = norm_->scale() + first, *shifts = norm_->shift() + first, *centers = norm_->center() + first;
  Vec *gradientSums = sums.gradient.data() + first, *productSums = sums.product.data() + first;
  forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
    const float* x = input.tile(tile) + (input_.first + first) * kTile;
    float* to = input.gradientTile(tile) + (input_.first + first) * kTile;
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

void WinogradConvolution3::addWeightGradients(const FeatureMap& input, const Strip& strip,
                                              const BackwardMemory& memory) const {
  const int padded = filters_.paddedInputs();
  const Split groups = Split::into(output_.count, kRows);
  clearEdges(strip, memory.padded);
  for (int c = 0; c < padded; c += kTile) {
    const int vectors = std::min(kVectors, (padded - c) / kLanes);
    loadChannels(input, strip, c, std::min(kTile, input_.count - c), memory.padded);
    transformChannels(strip, vectors, memory);
    for (int f = 0; f < kFrequencies; ++f)
      for (int g = 0; g < groups.count; ++g) {
        float* to = memory.weights + f * memory.weightStep + static_cast<ptrdiff_t>(groups.start(g)) * padded + c;
        const float* gradients = memory.gradients + groups.start(g) * shape_.channelStride + f * kTile;
        withRows(groups.size(g), [&](auto m) {
          withVectors(vectors, [&](auto v) {
            Block<m, v> sum;
            read(sum, to, padded);
            addTiles(sum, strip, gradients, memory.channels + f * kTile);
            write(sum, to, padded);
          });
        });
      }
  }
}

template <int M, int V>
DENSENET_INLINE void WinogradConvolution3::addTiles(Block<M, V>& sum, const Strip& strip, const float* gradients,
                                                    const float* channels) const {
  const int tiles = shape_.tiles(strip), whole = tiles / kTile, rest = tiles % kTile;
  OuterShape shape{whole, kTile, shape_.channelStride, kBlockFloats, kTransformed, kTile * kTransformed};
  if (rest == 0) {
    shape.rows *= strip.images;
    addOuterProducts(sum, shape, gradients, channels);
    return;
  }
  for (int i = 0; i < strip.images; ++i)
    for (const auto& [rows, length] : {std::pair{whole, kTile}, std::pair{1, rest}}) {
      shape.rows = rows;
      shape.length = length;
      addOuterProducts(sum, shape, gradients, channels);
      gradients += rows * kBlockFloats;
      channels += static_cast<ptrdiff_t>(rows) * length * kTransformed;
    }
}

void WinogradConvolution3::transformChannels(const Strip& strip, int vectors, const BackwardMemory& memory) const {
  const int columns = shape_.paddedColumns();
  const ptrdiff_t rowStride = static_cast<ptrdiff_t>(columns) * kTile;
  for (int i = 0; i < strip.images; ++i)
    for (int r = 0; r < strip.rows; ++r)
      for (int v = 0; v < vectors; ++v)
        densenet::transformChannels(memory.padded + (i * shape_.paddedRows() + 2 * r) * rowStride + v * kLanes, rowStride,
                                    shape_.tileColumns,
                                    memory.channels + (i * strip.rows + r) * shape_.tileColumns * kTransformed + v * kLanes,
                                    kTransformed);
}

/** Zeros above and below the image, where another strip had pixels. */
void WinogradConvolution3::clearEdges(const Strip& strip, float* padded) const {
  const ptrdiff_t row = static_cast<ptrdiff_t>(shape_.paddedColumns()) * kTile;
  for (int i = 0; i < strip.images; ++i, padded += shape_.paddedRows() * row)
    for (int r = 0; r < 2 * strip.rows + 2; ++r) {
      const int y = 2 * strip.row - 1 + r;
      if (y < 0 || y >= shape_.height) std::fill(padded + r * row, padded + (r + 1) * row, 0.0f);
    }
}

/** Normalised pixels of channels first … first+count−1 to [row][column][kTile]; what is around them stays. */
void WinogradConvolution3::loadChannels(const FeatureMap& input, const Strip& strip, int first, int count,
                                        float* to) const {
  const float *scale = norm_->scale() + first, *shift = norm_->shift() + first;
  const int* positions = shape_.paddedPositions(strip);
  const PixelRun run = shape_.reach(strip);
  forRuns(run.first, run.count, [&](int tile, int lane, int pixel, int length) {
    const float* from = input.tile(tile) + (input_.first + first) * kTile;
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

void WinogradConvolution3::storeWeightGradient(const float* sums, float* partial) const {
  const int padded = filters_.paddedInputs();
  const ptrdiff_t step = static_cast<ptrdiff_t>(output_.count) * padded;
  for (int o = 0; o < output_.count; ++o)
    for (int c = 0; c < padded; c += kLanes)
      transformWeightGradients(sums + static_cast<ptrdiff_t>(o) * padded + c, step,
                               partial + static_cast<ptrdiff_t>(o) * kTaps * padded + c, padded);
}

}  // namespace densenet
