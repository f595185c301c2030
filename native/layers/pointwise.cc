#include "pointwise.h"

#include "../kernels/products.h"
#include "tasks.h"

namespace densenet {

namespace {

/** Words of input channels of one pass over the weights: a panel of them stays in the first-level cache. */
constexpr int kDepth = 256;
/** Tiles that share a pass over one block of weights, forward. */
constexpr int kForwardTiles = 16;
/** Tiles that share a pass over the weights, backward: also the pixels of one sum of outer products. */
constexpr int kBackwardTiles = 64 / kTile > 2 ? 64 / kTile : 2;

Split rowGroups(int rows) { return Split::into(rows, kRows); }
Split depthBlocks(int words) { return Split::into(words, kDepth); }

}  // namespace

template <class Operand>
Pointwise<Operand>::Pointwise(Parameters& parameters, ConvolutionSpec spec, bool statistics)
    : parameters_(parameters), input_(spec.input), output_(spec.output), dropout_(spec.dropout),
      firstReader_(spec.firstReader), statistics_(statistics), pixels_(static_cast<double>(spec.height) * spec.width),
      norm_(std::move(spec.norm)), weights_(spec.weights),
      forwardWeights_(static_cast<size_t>(wordsOf<Operand>(input_.count)) * output_.count) {}

template <class Operand>
void Pointwise<Operand>::prepare(Executor& executor, bool training) {
  constexpr int kTerms = Operand::kTerms;
  const float* weights = parameters_.values(weights_);  // [output][input]
  const int inputs = input_.count, outputs = output_.count;
  const auto weight = [&](int o, int c) { return c < inputs ? weights[static_cast<size_t>(o) * inputs + c] : 0; };
  const Split blocks = depthBlocks(wordsOf<Operand>(inputs)), groups = rowGroups(outputs);
  executor.forEach(blocks.count, [&](int task, Scratch&) {
    float* to = forwardWeights_.data() + static_cast<size_t>(outputs) * blocks.start(task);
    for (int g = 0; g < groups.count; ++g)
      for (int c = blocks.start(task); c < blocks.start(task + 1); ++c)
        for (int m = 0; m < groups.size(g); ++m)
          *to++ = Operand::word([&](int t) { return weight(groups.start(g) + m, c * kTerms + t); });
  });
  if (norm_ && !training) norm_->useRunning();
}

/** Words [input group][outputs][group]. */
template <class Operand>
void Pointwise<Operand>::prepareBackward(const Pass& pass) const {
  const float* weights = parameters_.values(weights_);
  const int inputs = input_.count, outputs = output_.count, outputWords = wordsOf<Operand>(outputs);
  const auto weight = [&](int o, int c) { return o < outputs ? weights[static_cast<size_t>(o) * inputs + c] : 0; };
  pass.activations.weights.reserve(static_cast<size_t>(inputs) * outputWords);
  const Split groups = rowGroups(inputs), tasks = Split::into(groups.count, kDepth / kRows);  // kDepth channels each
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    float* to = pass.activations.weights.data() + static_cast<size_t>(groups.start(tasks.start(task))) * outputWords;
    for (int g = tasks.start(task); g < tasks.start(task + 1); ++g)
      for (int o = 0; o < outputWords; ++o)
        for (int m = 0; m < groups.size(g); ++m)
          *to++ = Operand::word([&](int t) { return weight(o * Operand::kTerms + t, groups.start(g) + m); });
  });
}

template <class Operand>
void Pointwise<Operand>::forward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  if (norm_ && pass.training) norm_->useBatch(input, !pass.again);
  const bool statistics = statistics_ && pass.training && !pass.again;
  const Split tasks = tileTasks(output, static_cast<int64_t>(input_.count) * paddedOutputs());
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    const int first = tasks.start(task), last = tasks.start(task + 1);
    MomentSums moments(statistics ? output_.count : 0);
    for (int tile = first; tile < last; tile += kForwardTiles) {
      const int end = std::min(tile + kForwardTiles, last);
      forwardTiles(pass, tile, end, scratch);
      for (int t = tile; t < end; ++t) {
        float* rows = output.tile(t) + output_.first * kTile;
        if (dropout_.active(pass.training)) dropout_.applyTile(pass.dropout, rows, output_.count, output, t);
        if (statistics) moments.add(rows, 0, output.lanes(t));
      }
    }
    if (statistics) parts[task] = moments.part();
  });
  if (statistics) output.setMoments(output_.first, parts);
}

/**
 * multiplyPanel for the first rows of a tile, which makes the panel: words of max(0, scale·x + shift) of `channels`
 * channels. The processor normalises beside the multiplications.
 */
template <class Operand, int M>
DENSENET_INLINE void normalizeAndMultiply(Block<M>& block, int channels, const float* weights, const float* from,
                                          const float* scale, const float* shift, float* panel) {
  constexpr int kTerms = Operand::kTerms;
  for (int c = 0; c < channels; c += kTerms, weights += M, from += kTerms * kTile, panel += kTile) {
    Vec x[kVectors];
    const int terms = std::min(kTerms, channels - c);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      x[i] = normalizedWords<Operand>(from + i * kLanes, terms, scale + c, shift + c);
      store(panel + i * kLanes, x[i]);
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      const Vec w = Operand::spread(weights[m]);
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) block.v[m][i] = Operand::multiplyAdd(block.v[m][i], x[i], w);
    }
  }
}

template <class Operand>
void Pointwise<Operand>::forwardTiles(const Pass& pass, int first, int last, Scratch& scratch) const {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  constexpr int kTerms = Operand::kTerms;
  const Split blocks = depthBlocks(wordsOf<Operand>(input_.count)), groups = rowGroups(output_.count);
  const ptrdiff_t inputTile = input.tileStride();
  const ptrdiff_t outputTile = output.tileStride();
  scratch.reset();
  float* words = scratch.take(kDepth * kTile);
  for (int b = 0; b < blocks.count; ++b) {
    const int start = blocks.start(b) * kTerms, depth = blocks.size(b);
    const int channels = std::min(depth * kTerms, input_.count - start);
    const Split ahead{channels, groups.count};
    for (int t = first; t < last; ++t) {
      const float *from = input.tile(t) + (input_.first + start) * kTile, *panel = from;
      if (norm_ || kTerms > 1) panel = words;
      if (!norm_ && kTerms > 1) packChannels<Operand>(from, channels, words);
      const float* weights = forwardWeights_.data() + static_cast<size_t>(output_.count) * blocks.start(b);
      float* rows = output.tile(t) + output_.first * kTile;
      for (int g = 0; g < groups.count; ++g) {
        prefetch(from + inputTile + ahead.start(g) * kTile, ahead.size(g) * kTile);
        withRows(groups.size(g), [&](auto m) {
          Block<m> block;
          if (b == 0)
            clear(block);
          else
            read(block, rows, kTile);
          if (norm_ && g == 0)
            normalizeAndMultiply<Operand>(block, channels, weights, from, norm_->scale() + start,
                                          norm_->shift() + start, words);
          else
            multiplyPanel<Operand>(block, depth, weights, panel);
          write(block, rows, kTile);
          prefetch<true>(rows + outputTile, m * kTile);
        });
        weights += groups.size(g) * depth;
        rows += groups.size(g) * kTile;
      }
    }
  }
}

/** Tiles of one backward block, and what is known about them. */
template <class Operand>
struct Pointwise<Operand>::BackwardBlock {
  FeatureMap& input;
  int tile, tiles;
  const float* weights;
  /** Gradient of the outputs in words of channels, [tile][outputs][kTile], and of pixels, [pixels][padded output]. */
  const float *gradient, *transposed;
  /** One group of rows, [row][kBackwardTiles · kTile]: its gradient, then its normalised input in words of pixels. */
  float* rows;
  /** [input][padded output], added to. */
  float* weightGradient;
};

template <class Operand>
void Pointwise<Operand>::backward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const int64_t floats = static_cast<int64_t>(input_.count) * paddedOutputs();
  const Split tasks = tileTasks(output, floats);
  prepareBackward(pass);
  pass.activations.partials.reserve(static_cast<size_t>(tasks.count * floats));
  std::vector<std::vector<NormSums>> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* weightGradient = pass.activations.partials.data() + task * floats;
    std::fill(weightGradient, weightGradient + floats, 0.0f);
    NormVectors sums(norm_ ? input_.count : 0);
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); tile += kBackwardTiles) {
      scratch.reset();
      backwardTiles(pass, terms, tile, std::min(tile + kBackwardTiles, tasks.start(task + 1)), weightGradient, sums,
                    scratch);
    }
    parts[task] = sums.sums();
  });
  reduceWeights(pass, tasks.count);
  if (norm_) norm_->finish(input, parts);
}

template <class Operand>
void Pointwise<Operand>::backwardTiles(const Pass& pass, const GradientTerms& terms, int first, int last,
                                       float* weightGradient, NormVectors& sums, Scratch& scratch) const {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const int padded = paddedOutputs(), outputs = output_.count;
  float* gradient = scratch.take(static_cast<size_t>(kBackwardTiles) * outputs * kTile);
  float* transposed = scratch.take(static_cast<size_t>(kBackwardTiles) * kTileWords<Operand> * padded);
  float* rows = scratch.take(static_cast<size_t>(kRows) * kBackwardTiles * kTile);
  for (int t = first; t < last; ++t) {
    float* words = gradient + static_cast<size_t>(t - first) * outputs * kTile;
    loadGradient(output, output_.first, terms, t, words);
    if (dropout_.active(pass.training)) dropout_.applyTile(pass.dropout, words, outputs, output, t);
    transposeRows<Operand>(words, outputs, transposed + static_cast<size_t>(t - first) * kTileWords<Operand> * padded,
                           padded);
    if constexpr (Operand::kTerms > 1) packChannels<Operand>(words, outputs, words);
  }
  const float* weights = pass.activations.weights.data();
  const BackwardBlock block{input, first, last - first, weights, gradient, transposed, rows, weightGradient};
  const Split groups = rowGroups(input_.count);
  for (int g = 0; g < groups.count; ++g)
    withRows(groups.size(g), [&](auto m) {
      if (!norm_)
        backwardRows<m, false, true>(block, groups.start(g), sums);
      else if (firstReader_)
        backwardRows<m, true, true>(block, groups.start(g), sums);
      else
        backwardRows<m, true, false>(block, groups.start(g), sums);
    });
}

/** How some rows are normalised, and their sums. */
struct RowNorm {
  const float *scale, *shift, *center;
  Vec *gradientSum, *productSum;
};

/**
 * Row m of `tiles` tiles: `pixels` holds the gradient at the normalisation's output, before ReLU. Adds what it makes of
 * it to the input's gradient, `to`, and leaves the words of the normalised input in `pixels`.
 */
template <class Operand, bool kNormalized, bool kFirst>
DENSENET_INLINE void finishRow(const RowNorm& norm, int m, int tiles, ptrdiff_t inputTile, const float* x, float* to,
                               float* pixels) {
  float* words = pixels;
  Vec scale{}, shift{}, center{}, gradientSum{}, productSum{};
  if constexpr (kNormalized) {
    scale = splat(norm.scale[m]);
    shift = splat(norm.shift[m]);
    center = splat(norm.center[m]);
    gradientSum = norm.gradientSum[m];
    productSum = norm.productSum[m];
  }
  for (int t = 0; t < tiles; ++t, x += inputTile, to += inputTile, pixels += kTile, words += kTileWords<Operand>) {
#pragma GCC unroll 4
    for (int v = 0; v < kTile; v += kLanes) {
      const Vec value = load(x + v), product = load(pixels + v);
      if constexpr (kNormalized) {
        const Vec y = value * scale + shift, g = keep(y > Vec{}, product);
        store(pixels + v, relu(y));
        store(to + v, kFirst ? g * scale : load(to + v) + g * scale);
        gradientSum += g;
        productSum += g * (value - center);
      } else {
        store(pixels + v, value);
        store(to + v, product);
      }
    }
    if constexpr (Operand::kTerms > 1) packPixels<Operand>(pixels, 1, words);
  }
  if constexpr (kNormalized) {
    norm.gradientSum[m] = gradientSum;
    norm.productSum[m] = productSum;
  }
}

template <class Operand>
template <int M, bool kNormalized, bool kFirst>
void Pointwise<Operand>::backwardRows(const BackwardBlock& b, int row, NormVectors& sums) const {
  constexpr int kPixels = kBackwardTiles * kTile;
  const int outputs = output_.count, words = wordsOf<Operand>(outputs), padded = paddedOutputs();
  const float* weights = b.weights + static_cast<size_t>(row) * words;
  const ptrdiff_t inputTile = b.input.tileStride();
  const float* x = b.input.tile(b.tile) + (input_.first + row) * kTile;
  float* to = b.input.gradientTile(b.tile) + (input_.first + row) * kTile;
  // Two groups on, or in the next tiles if there are no two more in these.
  const bool wraps = row + 2 * kRows >= input_.count;
  const ptrdiff_t ahead = 2 * kRows * kTile + (wraps ? kBackwardTiles * inputTile - input_.count * kTile : 0);
  for (int t = 0; t < b.tiles; ++t) {
    Block<M> product;
    clear(product);
    multiplyPanel<Operand>(product, words, weights, b.gradient + static_cast<size_t>(t) * outputs * kTile);
    prefetch(x + t * inputTile + ahead, M * kTile);
    prefetch<true>(to + t * inputTile + ahead, M * kTile);
    write(product, b.rows + t * kTile, kPixels);
  }
  const RowNorm norm = kNormalized ? RowNorm{norm_->scale() + row, norm_->shift() + row, norm_->center() + row,
                                             sums.gradient.data() + row, sums.product.data() + row}
                                   : RowNorm{};
  for (int m = 0; m < M; ++m)
    finishRow<Operand, kNormalized, kFirst>(norm, m, b.tiles, inputTile, x + m * kTile, to + m * kTile,
                                            b.rows + m * kPixels);
  const OuterShape shape{1, b.tiles * kTileWords<Operand>, kPixels, 0, padded, 0};
  float* weightGradient = b.weightGradient + static_cast<size_t>(row) * padded;
  for (int o = 0; o < padded; o += kTile)
    withVectors(std::min(kVectors, (padded - o) / kLanes), [&](auto v) {
      Block<M, v> block;
      read(block, weightGradient + o, padded);
      addOuterProducts<Operand>(block, shape, b.rows, b.transposed + o);
      write(block, weightGradient + o, padded);
    });
}

template <class Operand>
void Pointwise<Operand>::reduceWeights(const Pass& pass, int tasks) const {
  const int padded = paddedOutputs(), inputs = input_.count, outputs = output_.count;
  const Split rows = Split::into(inputs, 16);
  const float* partials = pass.activations.partials.data();
  const Gradient gradient = parameters_.gradient(weights_);
  pass.executor.forEach(rows.count, [&](int block, Scratch& scratch) {
    const int first = rows.start(block), count = rows.size(block), floats = count * padded;
    float* sum = scratch.take(static_cast<size_t>(floats));
    std::fill(sum, sum + floats, 0.0f);
    for (int task = 0; task < tasks; ++task) {
      const float* from = partials + (static_cast<size_t>(task) * inputs + first) * padded;
      for (int i = 0; i < floats; ++i) sum[i] += from[i];
    }
    for (int o = 0; o < outputs; ++o)
      for (int c = 0; c < count; ++c)
        gradient.put(static_cast<size_t>(o) * inputs + first + c, sum[c * padded + o]);
  });
}

template class Pointwise<Single>;
template class Pointwise<BfloatPairs>;

}  // namespace densenet
