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
      forwardWeights_(static_cast<size_t>(wordsOf<Operand>(input_.count)) * output_.count),
      backwardWeights_(static_cast<size_t>(input_.count) * wordsOf<Operand>(output_.count)) {}

template <class Operand>
void Pointwise<Operand>::prepare(Executor& executor, bool training) {
  constexpr int kTerms = Operand::kTerms;
  const float* weights = parameters_.values(weights_);  // [output][input]
  const int inputs = input_.count, outputs = output_.count, outputWords = wordsOf<Operand>(outputs);
  const auto weight = [&](int o, int c) {
    return o < outputs && c < inputs ? weights[static_cast<size_t>(o) * inputs + c] : 0;
  };
  const Split blocks = depthBlocks(wordsOf<Operand>(inputs)), groups = rowGroups(outputs);
  const Split inputGroups = rowGroups(inputs);
  executor.forEach(blocks.count, [&](int task, Scratch&) {
    float* to = forwardWeights_.data() + static_cast<size_t>(outputs) * blocks.start(task);
    for (int g = 0; g < groups.count; ++g)
      for (int c = blocks.start(task); c < blocks.start(task + 1); ++c)
        for (int m = 0; m < groups.size(g); ++m)
          *to++ = Operand::word([&](int t) { return weight(groups.start(g) + m, c * kTerms + t); });
  });
  if (training) {
    const Split tasks = Split::into(inputGroups.count, kDepth / kRows);  // about kDepth input channels each
    executor.forEach(tasks.count, [&](int task, Scratch&) {
      float* to = backwardWeights_.data() + static_cast<size_t>(inputGroups.start(tasks.start(task))) * outputWords;
      for (int g = tasks.start(task); g < tasks.start(task + 1); ++g)
        for (int o = 0; o < outputWords; ++o)
          for (int m = 0; m < inputGroups.size(g); ++m)
            *to++ = Operand::word([&](int t) { return weight(o * kTerms + t, inputGroups.start(g) + m); });
    });
  }
  if (norm_ && !training) norm_->useRunning();
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

template <class Operand>
void Pointwise<Operand>::forwardTiles(const Pass& pass, int first, int last, Scratch& scratch) const {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  constexpr int kTerms = Operand::kTerms;
  const Split blocks = depthBlocks(wordsOf<Operand>(input_.count)), groups = rowGroups(output_.count);
  scratch.reset();
  float* normalized = scratch.take(kDepth * kTile);
  for (int b = 0; b < blocks.count; ++b) {
    const int start = blocks.start(b) * kTerms, depth = blocks.size(b);
    const int channels = std::min(depth * kTerms, input_.count - start);
    for (int t = first; t < last; ++t) {
      const float* panel = input.tile(t) + (input_.first + start) * kTile;
      if (norm_) {
        normalizeRows<Operand>(panel, channels, norm_->scale() + start, norm_->shift() + start, normalized,
                               static_cast<ptrdiff_t>(input.channels()) * kTile);
        panel = normalized;
      } else if constexpr (kTerms > 1) {
        packChannels<Operand>(panel, channels, normalized);
        panel = normalized;
      }
      const float* weights = forwardWeights_.data() + static_cast<size_t>(output_.count) * blocks.start(b);
      float* rows = output.tile(t) + output_.first * kTile;
      for (int g = 0; g < groups.count; ++g) {
        withRows(groups.size(g), [&](auto m) {
          Block<m> block;
          if (b == 0)
            clear(block);
          else
            read(block, rows, kTile);
          multiplyPanel<Operand>(block, depth, weights, panel);
          write(block, rows, kTile);
          prefetch<true>(rows + static_cast<ptrdiff_t>(output.channels()) * kTile, m * kTile);
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
  /** Gradient of the outputs in words of channels, [tile][outputs][kTile], and of pixels, [pixels][padded output]. */
  const float *gradient, *transposed;
  /** Normalised input of one group of rows in words of pixels, [row][pixels]. */
  float* normalized;
  /** [input][padded output], added to. */
  float* weightGradient;
};

template <class Operand>
void Pointwise<Operand>::backward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const int64_t floats = static_cast<int64_t>(input_.count) * paddedOutputs();
  const Split tasks = tileTasks(output, floats);
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
  float* normalized = scratch.take(static_cast<size_t>(kRows) * kBackwardTiles * kTileWords<Operand>);
  for (int t = first; t < last; ++t) {
    float* rows = gradient + static_cast<size_t>(t - first) * outputs * kTile;
    loadGradient(output, output_.first, terms, t, rows);
    if (dropout_.active(pass.training)) dropout_.applyTile(pass.dropout, rows, outputs, output, t);
    transposeRows<Operand>(rows, outputs, transposed + static_cast<size_t>(t - first) * kTileWords<Operand> * padded,
                           padded);
    if constexpr (Operand::kTerms > 1) packChannels<Operand>(rows, outputs, rows);
  }
  const BackwardBlock block{input, first, last - first, gradient, transposed, normalized, weightGradient};
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

template <class Operand>
template <int M, bool kNormalized, bool kFirst>
void Pointwise<Operand>::backwardRows(const BackwardBlock& b, int row, NormVectors& sums) const {
  const int outputs = output_.count, words = wordsOf<Operand>(outputs), padded = paddedOutputs();
  const float* weights = backwardWeights_.data() + static_cast<size_t>(row) * words;
  const float *scales = nullptr, *shifts = nullptr, *centers = nullptr;
  Vec *gradientSums = nullptr, *productSums = nullptr;
  if constexpr (kNormalized) {
    scales = norm_->scale() + row;
    shifts = norm_->shift() + row;
    centers = norm_->center() + row;
    gradientSums = sums.gradient.data() + row;
    productSums = sums.product.data() + row;
  }
  constexpr int kPixels = kBackwardTiles * kTileWords<Operand>, kAhead = 2 * kRows * kTile;
  for (int t = 0; t < b.tiles; ++t) {
    Block<M> product;
    clear(product);
    multiplyPanel<Operand>(product, words, weights, b.gradient + static_cast<size_t>(t) * outputs * kTile);
    const float* x = b.input.tile(b.tile + t) + (input_.first + row) * kTile;
    float* to = b.input.gradientTile(b.tile + t) + (input_.first + row) * kTile;
    float* normalized = b.normalized + t * kTileWords<Operand>;
    prefetch(x + kAhead, M * kTile);
    prefetch<true>(to + kAhead, M * kTile);
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      float activated[kTile];
      Vec scale{}, shift{}, center{}, gradientSum{}, productSum{};
      if constexpr (kNormalized) {
        scale = splat(scales[m]);
        shift = splat(shifts[m]);
        center = splat(centers[m]);
        gradientSum = gradientSums[m];
        productSum = productSums[m];
      }
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const int at = m * kTile + v * kLanes;
        const Vec pixels = load(x + at);
        if constexpr (!kNormalized) {
          store(activated + v * kLanes, pixels);
          store(to + at, product.v[m][v]);
          continue;
        }
        const Vec y = pixels * scale + shift, g = keep(y > Vec{}, product.v[m][v]);
        store(activated + v * kLanes, relu(y));
        store(to + at, kFirst ? g * scale : load(to + at) + g * scale);
        gradientSum += g;
        productSum += g * (pixels - center);
      }
#pragma GCC unroll 4
      for (int v = 0; v < kTileWords<Operand> / kLanes; ++v)
        store(normalized + m * kPixels + v * kLanes, pixelWords<Operand>(activated, v));
      if constexpr (kNormalized) {
        gradientSums[m] = gradientSum;
        productSums[m] = productSum;
      }
    }
  }
  const OuterShape shape{1, b.tiles * kTileWords<Operand>, kPixels, 0, padded, 0};
  float* to = b.weightGradient + static_cast<size_t>(row) * padded;
  for (int o = 0; o < padded; o += kTile)
    withVectors(std::min(kVectors, (padded - o) / kLanes), [&](auto v) {
      Block<M, v> block;
      read(block, to + o, padded);
      addOuterProducts<Operand>(block, shape, b.normalized, b.transposed + o);
      write(block, to + o, padded);
    });
}

template <class Operand>
void Pointwise<Operand>::reduceWeights(const Pass& pass, int tasks) const {
  const int padded = paddedOutputs(), inputs = input_.count, outputs = output_.count;
  const Split rows = Split::into(inputs, 16);
  const float* partials = pass.activations.partials.data();
  const Gradient gradient = parameters_.gradient(weights_);
  pass.executor.forEach(rows.count, [&](int block, Scratch& scratch) {
    float* sum = scratch.take(static_cast<size_t>(padded));
    for (int c = rows.start(block); c < rows.start(block + 1); ++c) {
      std::fill(sum, sum + padded, 0.0f);
      for (int task = 0; task < tasks; ++task) {
        const float* from = partials + (static_cast<size_t>(task) * inputs + c) * padded;
        for (int o = 0; o < padded; ++o) sum[o] += from[o];
      }
      for (int o = 0; o < outputs; ++o) gradient.put(static_cast<size_t>(o) * inputs + c, sum[o]);
    }
  });
}

template class Pointwise<Single>;
template class Pointwise<BfloatPairs>;

}  // namespace densenet
