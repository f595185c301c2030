#include "convolution3.h"

#include <cstring>

namespace densenet {

namespace {

/** Positions, in units of kVectors, that share a pass over one group's weights. */
constexpr int kForwardPositions = 2, kBackwardPositions = 8;

Split rowGroups(int rows) { return Split::into(rows, kRows); }

/** The tile of an image's first pixel. */
int firstTile(const FeatureMap& map, int image) {
  return static_cast<int>(static_cast<int64_t>(image) * map.imagePixels() / kTile);
}

}  // namespace

template <class Operand>
Convolution3<Operand>::Convolution3(Parameters& parameters, ConvolutionSpec spec)
    : input_(spec.input), output_(spec.output), dropout_(spec.dropout), firstReader_(spec.firstReader),
      shape_(spec.height, spec.width), blocks_(input_.count, shape_.size),
      norm_(std::move(spec.norm)), filters_(parameters, spec.weights, input_.count, output_.count),
      forwardWeights_(static_cast<size_t>(kTaps) * wordsOf<Operand>(input_.count) * output_.count),
      backwardWeights_(static_cast<size_t>(kTaps) * input_.count * wordsOf<Operand>(output_.count)) {}

template <class Operand>
void Convolution3<Operand>::prepare(Executor& executor, bool training) {
  constexpr int kTerms = Operand::kTerms;
  const float* weights = filters_.values();  // [output][input][tap]
  const int inputs = input_.count, outputs = output_.count, outputWords = wordsOf<Operand>(outputs);
  const auto weight = [&](int o, int c, int tap) {
    return o < outputs && c < inputs ? weights[(static_cast<size_t>(o) * inputs + c) * kTaps + tap] : 0;
  };
  executor.forEach(blocks_.count(), [&](int b, Scratch&) {
    const InputBlock block = blocks_[b];
    const Split outputGroups = rowGroups(outputs), inputGroups = rowGroups(block.count);
    float* to = forwardWeights_.data() + forwardOffset(block);
    for (int g = 0; g < outputGroups.count; ++g)
      for (int c = block.start; c < block.start + block.count; c += kTerms)
        for (int tap = 0; tap < kTaps; ++tap)
          for (int m = 0; m < outputGroups.size(g); ++m)
            *to++ = Operand::word([&](int t) { return weight(outputGroups.start(g) + m, c + t, tap); });
    if (!training) return;
    to = backwardWeights_.data() + backwardOffset(block);
    for (int g = 0; g < inputGroups.count; ++g)
      for (int o = 0; o < outputWords; ++o)
        for (int tap = kTaps - 1; tap >= 0; --tap)
          for (int m = 0; m < inputGroups.size(g); ++m)
            *to++ = Operand::word(
                [&](int t) { return weight(o * kTerms + t, block.start + inputGroups.start(g) + m, tap); });
  });
  if (!training) norm_->useRunning();
}

template <class Operand>
void Convolution3<Operand>::forward(const Pass& pass) {
  if (pass.training) norm_->useBatch(pass.map(input_.map), true);
  forwardImages(pass, filters_, output_, [&](int first, int end, MomentSums& moments, Scratch& scratch) {
    for (int image = first; image < end; ++image) {
      scratch.reset();
      forwardImage(pass, image, scratch, moments);
    }
  });
}

template <class Operand>
void Convolution3<Operand>::forwardImage(const Pass& pass, int image, Scratch& scratch, MomentSums& moments) const {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const size_t size = static_cast<size_t>(shape_.size);
  const size_t planeFloats = size * wordsOf<Operand>(blocks_.largest());
  float* planes = scratch.take(planeFloats);
  float* outputs = scratch.take(size * output_.count);
  float* row = scratch.take(static_cast<size_t>(output.imagePixels()) + kLanes);
  std::memset(planes, 0, planeFloats * sizeof(float));
  const Split groups = rowGroups(output_.count);
  for (int b = 0; b < blocks_.count(); ++b) {
    const InputBlock block = blocks_[b];
    const int words = wordsOf<Operand>(block.count);
    loadPlanes(input, image, block, planes);
    const bool last = b + 1 == blocks_.count();
    const InputBlock next = blocks_[last ? 0 : b + 1];
    const int nextTile = firstTile(input, last ? image + 1 : image);
    for (int at = 0; at < shape_.blocks; at += kForwardPositions) {
      const int end = std::min(at + kForwardPositions, shape_.blocks);
      for (int i = at; i < end; ++i)
        prefetch(input.tile(nextTile + i) + (input_.first + next.start) * kTile, next.count * kTile);
      const float* weights = forwardWeights_.data() + forwardOffset(block);
      for (int g = 0; g < groups.count; ++g) {
        float* to = outputs + size * groups.start(g);
        withRows(groups.size(g), [&](auto m) {
          for (int i = at; i < end; ++i) {
            const int* offsets = shape_.offsets.data() + i * kVectors;
            Block<m> sum;
            if (b == 0)
              clear(sum);
            else
              readAt(sum, to, shape_.size, offsets);
            convolvePlanes<Operand>(sum, words, weights, planes, shape_.size, shape_.stride, offsets);
            writeAt(sum, to, shape_.size, offsets);
          }
        });
        weights += static_cast<size_t>(groups.size(g)) * words * kTaps;
      }
    }
  }
  storeOutput(pass, image, outputs, row);
  if (pass.training)
    forImage(output, image, [&](int tile, int lane, int, int length) {
      moments.add(output.tile(tile) + output_.first * kTile, lane, lane + length);
    });
}

template <class Operand>
void Convolution3<Operand>::loadPlanes(const FeatureMap& input, int image, InputBlock block, float* planes) const {
  constexpr int kTerms = Operand::kTerms;
  const float *scale = norm_->scale() + block.start, *shift = norm_->shift() + block.start;
  forImage(input, image, [&](int tile, int lane, int pixel, int length) {
    const float* from = input.tile(tile) + (input_.first + block.start) * kTile;
    const int* positions = shape_.positions.data() + pixel;
    if (shape_.aligned && length == kTile) {
      for (int c = 0; c < block.count; c += kTerms) {
        float* plane = planes + static_cast<size_t>(c / kTerms) * shape_.size;
        const int terms = std::min(kTerms, block.count - c);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
          store(plane + positions[v * kLanes],
                normalizedWords<Operand>(from + c * kTile + v * kLanes, terms, scale + c, shift + c));
      }
      return;
    }
    float normalized[kTile];
    for (int c = 0; c < block.count; c += kTerms) {
      normalizeRows<Operand>(from + c * kTile, std::min(kTerms, block.count - c), scale + c, shift + c, normalized);
      float* plane = planes + static_cast<size_t>(c / kTerms) * shape_.size;
      for (int i = 0; i < length; ++i) plane[positions[i]] = normalized[lane + i];
    }
  });
}

template <class Operand>
void Convolution3<Operand>::storeOutput(const Pass& pass, int image, const float* planes, float* row) const {
  const FeatureMap& output = pass.map(output_.map);
  const int pixels = output.imagePixels(), width = shape_.width;
  for (int o = 0; o < output_.count; ++o) {
    const float* plane = planes + static_cast<size_t>(o) * shape_.size;
    for (int y = 0; y < shape_.height; ++y)
      std::memcpy(row + y * width, plane + shape_.position(y, 0), width * sizeof(float));
    if (dropout_.active(pass.training))
      dropout_.apply(pass.dropout, row, pixels, static_cast<uint32_t>((int64_t{image} * output_.count + o) * pixels));
    forImage(output, image, [&](int tile, int lane, int pixel, int length) {
      std::memcpy(output.tile(tile) + (output_.first + o) * kTile + lane, row + pixel, length * sizeof(float));
    });
  }
}

template <class Operand>
void Convolution3<Operand>::backward(const Pass& pass) {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const GradientTerms terms(output, output_.first, output_.count);
  const auto run = [&](int first, int end, float* weightGradient, NormVectors& sums, Scratch& scratch) {
    std::fill(weightGradient, weightGradient + filters_.gradientFloats(), 0.0f);
    for (int image = first; image < end; ++image) {
      scratch.reset();
      backwardImage(pass, terms, image, weightGradient, sums, scratch);
    }
  };
  backwardImages(pass, filters_, *norm_, input, output, run);
}

template <class Operand>
void Convolution3<Operand>::backwardImage(const Pass& pass, const GradientTerms& terms, int image,
                                          float* weightGradient, NormVectors& sums, Scratch& scratch) const {
  FeatureMap& input = pass.map(input_.map);
  const size_t size = static_cast<size_t>(shape_.size);
  const size_t largest = blocks_.largest() * size;
  constexpr int kTerms = Operand::kTerms;
  const int outputWords = wordsOf<Operand>(output_.count);
  float* outputPlanes = scratch.take(size * outputWords);
  PixelWords outputPixels{outputPlanes + shape_.position(0, 0), shape_.size, shape_.stride};
  if constexpr (kTerms > 1) outputPixels = takePixelWords(scratch);
  float* inputPlanes = scratch.take(largest);
  float* transposed = scratch.take(largest);
  float* rows = scratch.take((static_cast<size_t>(input.imagePixels()) + kLanes) * kTerms);
  std::memset(outputPlanes, 0, size * outputWords * sizeof(float));
  std::memset(transposed, 0, largest * sizeof(float));
  loadOutputGradient(pass, terms, image, outputPlanes, outputPixels, rows);
  for (int b = 0; b < blocks_.count(); ++b) {
    const InputBlock block = blocks_[b];
    const Split groups = rowGroups(block.count);
    const int tile = firstTile(input, image);
    for (int at = 0; at < shape_.blocks; at += kBackwardPositions) {
      const int end = std::min(at + kBackwardPositions, shape_.blocks), channel = input_.first + block.start;
      for (int i = at; i < end; ++i) {
        prefetch(input.tile(tile + i) + channel * kTile, block.count * kTile);
        prefetch<true>(input.gradientTile(tile + i) + channel * kTile, block.count * kTile);
      }
      const float* weights = backwardWeights_.data() + backwardOffset(block);
      for (int g = 0; g < groups.count; ++g) {
        withRows(groups.size(g), [&](auto m) {
          for (int i = at; i < end; ++i) {
            const int* offsets = shape_.offsets.data() + i * kVectors;
            Block<m> sum;
            clear(sum);
            convolvePlanes<Operand>(sum, outputWords, weights, outputPlanes, shape_.size, shape_.stride, offsets);
            writeAt(sum, inputPlanes + size * groups.start(g), shape_.size, offsets);
          }
        });
        weights += static_cast<size_t>(groups.size(g)) * outputWords * kTaps;
      }
    }
    storeInputGradient(input, image, block, inputPlanes, sums);
    loadTransposed(input, image, block, transposed);
    const float* inputPixels = transposed;
    if constexpr (kTerms > 1) {
      packPositions(block, transposed, inputPlanes);
      inputPixels = inputPlanes;
    }
    addWeightGradients(block, outputPixels, inputPixels, weightGradient);
  }
}

template <class Operand>
typename Convolution3<Operand>::PixelWords Convolution3<Operand>::takePixelWords(Scratch& scratch) const {
  const ptrdiff_t row = wordsOf<Operand>(shape_.width), channel = row * shape_.height;
  return {scratch.take(static_cast<size_t>(channel) * output_.count), channel, row};
}

template <class Operand>
void Convolution3<Operand>::loadOutputGradient(const Pass& pass, const GradientTerms& terms, int image, float* planes,
                                               const PixelWords& words, float* rows) const {
  constexpr int kTerms = Operand::kTerms;
  const FeatureMap& output = pass.map(output_.map);
  const int pixels = output.imagePixels(), width = shape_.width, length = roundUp(pixels, kLanes);
  for (int o = 0; o < output_.count; o += kTerms) {
    const int count = std::min(kTerms, output_.count - o);
    for (int t = 0; t < count; ++t) {
      float* row = rows + t * length;
      loadGradientRow(output, output_.first, o + t, terms, image, row);
      if (dropout_.active(pass.training))
        dropout_.apply(pass.dropout, row, pixels,
                       static_cast<uint32_t>((int64_t{image} * output_.count + o + t) * pixels));
      if constexpr (kTerms > 1) packRow(row, words.data + (o + t) * words.channel);
    }
    if constexpr (kTerms > 1)
      for (int i = 0; i < length; i += kLanes)
        store(rows + i, Operand::words([&](int t) { return t < count ? load(rows + t * length + i) : Vec{}; }));
    float* plane = planes + static_cast<size_t>(o / kTerms) * shape_.size;
    for (int y = 0; y < shape_.height; ++y)
      std::memcpy(plane + shape_.position(y, 0), rows + y * width, width * sizeof(float));
  }
}

/** Words of neighbouring pixels of each row of an image; a row's last word is filled up with 0. */
template <class Operand>
void Convolution3<Operand>::packRow(const float* pixels, float* words) const {
  constexpr int kTerms = Operand::kTerms;
  const int width = shape_.width;
  for (int y = 0; y < shape_.height; ++y, pixels += width)
    for (int x = 0; x < width; x += kTerms)
      *words++ = Operand::word([&](int t) { return x + t < width ? pixels[x + t] : 0; });
}

template <class Operand>
void Convolution3<Operand>::storeInputGradient(FeatureMap& input, int image, InputBlock block, const float* planes,
                                               NormVectors& sums) const {
  const float *scales = norm_->scale() + block.start, *shifts = norm_->shift() + block.start;
  const float* centers = norm_->center() + block.start;
  Vec *gradientSums = sums.gradient.data() + block.start, *productSums = sums.product.data() + block.start;
  const size_t size = static_cast<size_t>(shape_.size);
  const bool aligned = shape_.aligned, first = firstReader_;
  forImage(input, image, [&](int tile, int lane, int pixel, int length) {
    const int* positions = shape_.positions.data() + pixel;
    const float* x = input.tile(tile) + (input_.first + block.start) * kTile;
    float* to = input.gradientTile(tile) + (input_.first + block.start) * kTile;
    if (length != kTile) {
      storeLanes(x, to, lane, length, positions, block, planes, sums);
      return;
    }
    float gathered[kTile];
    for (int c = 0; c < block.count; ++c, x += kTile, to += kTile) {
      const float* plane = planes + size * c;
      if (!aligned)
        for (int i = 0; i < kTile; ++i) gathered[i] = plane[positions[i]];
      const Vec scale = splat(scales[c]), shift = splat(shifts[c]), center = splat(centers[c]);
      Vec gradientSum = gradientSums[c], productSum = productSums[c];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const int at = v * kLanes;
        const Vec incoming = load(aligned ? plane + positions[at] : gathered + at), pixels = load(x + at);
        const Vec g = keep(pixels * scale + shift > Vec{}, incoming), scaled = g * scale;
        store(to + at, first ? scaled : load(to + at) + scaled);
        gradientSum += g;
        productSum += g * (pixels - center);
      }
      gradientSums[c] = gradientSum;
      productSums[c] = productSum;
    }
  });
}

/** The same for a tile that the image shares with another one, perhaps in the hands of another thread. */
template <class Operand>
void Convolution3<Operand>::storeLanes(const float* x, float* to, int lane, int length, const int* positions,
                                       InputBlock block, const float* planes, NormVectors& sums) const {
  for (int i = 0; i < block.count; ++i, x += kTile, to += kTile) {
    const int c = block.start + i;
    const float scale = norm_->scale()[c], shift = norm_->shift()[c], center = norm_->center()[c];
    float gradientSum = 0, productSum = 0;
    for (int j = 0; j < length; ++j) {
      const float pixel = x[lane + j];
      const float g = pixel * scale + shift > 0 ? planes[static_cast<size_t>(i) * shape_.size + positions[j]] : 0;
      to[lane + j] = firstReader_ ? g * scale : to[lane + j] + g * scale;
      gradientSum += g;
      productSum += g * (pixel - center);
    }
    sums.gradient[c][0] += gradientSum;
    sums.product[c][0] += productSum;
  }
}

template <class Operand>
void Convolution3<Operand>::loadTransposed(const FeatureMap& input, int image, InputBlock block,
                                           float* transposed) const {
  const float *scale = norm_->scale() + block.start, *shift = norm_->shift() + block.start;
  forImage(input, image, [&](int tile, int lane, int pixel, int length) {
    const float* from = input.tile(tile) + (input_.first + block.start) * kTile;
    const int* positions = shape_.positions.data() + pixel - lane;
    for (int c = 0; c < block.count; c += kLanes) {
      float* to = transposed + static_cast<size_t>(c / kTile) * shape_.size * kTile + c % kTile;
      for (int v = 0; v < kVectors; ++v) {
        Vec square[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i)
          square[i] = c + i < block.count ? relu(load(from + (c + i) * kTile + v * kLanes) * splat(scale[c + i]) +
                                                 splat(shift[c + i]))
                                          : Vec{};
        transpose(square);
        const int begin = std::max(0, lane - v * kLanes), end = std::min(kLanes, lane + length - v * kLanes);
        for (int i = begin; i < end; ++i)
          store(to + static_cast<size_t>(positions[v * kLanes + i]) * kTile, square[i]);
      }
    }
  });
}

/** Word i of the result begins with position i, and continues with those after it. */
template <class Operand>
void Convolution3<Operand>::packPositions(InputBlock block, const float* transposed, float* words) const {
  const int positions = shape_.position(shape_.height, shape_.width) + 1;
  for (int c = 0; c < block.count; c += kTile) {
    const size_t before = static_cast<size_t>(c) * shape_.size;
    for (int i = 0; i < positions * kTile; i += kLanes)
      store(words + before + i, Operand::words([&](int t) { return load(transposed + before + i + t * kTile); }));
  }
}

template <class Operand>
void Convolution3<Operand>::addWeightGradients(InputBlock block, const PixelWords& outputs, const float* inputs,
                                               float* weightGradient) const {
  constexpr int kBandFloats = 5 * 1024;  // rows of transposed planes that stay in the first-level cache
  const int band = std::max(1, kBandFloats / kTile / shape_.stride - 2);
  const Split groups = rowGroups(output_.count);
  const int padded = filters_.paddedInputs(), count = roundUp(block.count, kLanes);
  for (int y = 0; y < shape_.height; y += band) {
    const OuterShape shape{std::min(band, shape_.height - y),     wordsOf<Operand>(shape_.width), outputs.channel,
                           outputs.row, Operand::kTerms * kTile, static_cast<ptrdiff_t>(shape_.stride) * kTile};
    const float* gradients = outputs.data + y * outputs.row;
    for (int c = 0; c < count; c += kTile) {
      const float* pixels = inputs + static_cast<size_t>(c) * shape_.size;
      for (int g = 0; g < groups.count; ++g)
        for (int tap = 0; tap < kTaps; ++tap) {
          const int shifted = shape_.position(y, 0) + (tap / 3 - 1) * shape_.stride + tap % 3 - 1;
          float* to = weightGradient + (static_cast<size_t>(groups.start(g)) * kTaps + tap) * padded + block.start + c;
          withRows(groups.size(g), [&](auto m) {
            withVectors(std::min(kVectors, (count - c) / kLanes), [&](auto v) {
              Block<m, v> sum;
              read(sum, to, kTaps * padded);
              addOuterProducts<Operand>(sum, shape, gradients + groups.start(g) * outputs.channel,
                                        pixels + static_cast<size_t>(shifted) * kTile);
              write(sum, to, kTaps * padded);
            });
          });
        }
    }
  }
}

template class Convolution3<Single>;
template class Convolution3<BfloatPairs>;

}  // namespace densenet
