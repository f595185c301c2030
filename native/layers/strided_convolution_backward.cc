// The backward pass of strided 3×3 convolutions.
#include <cstring>

#include "strided_convolution.h"

namespace densenet {

void StridedConvolution3::backward(const Pass& pass) {
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

void StridedConvolution3::backwardImage(const Pass& pass, const GradientTerms& terms, int image, float* weightGradient,
                                        NormVectors& sums, Scratch& scratch) const {
  FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const size_t size = static_cast<size_t>(shape_.size);
  const size_t largest = static_cast<size_t>(blocks_.largest()) * channelFloats();
  float* outputPlanes = scratch.take(size * output_.count);
  float* inputPlanes = scratch.take(largest);
  float* transposed = scratch.take(largest);
  float* row = scratch.take(static_cast<size_t>(input.imagePixels()) + kTile);
  std::memset(outputPlanes, 0, size * output_.count * sizeof(float));
  loadOutputGradient(output, terms, image, outputPlanes, row);
  for (int b = 0; b < blocks_.count(); ++b) {
    const InputBlock block = blocks_[b];
    loadPlanes(input, image, block, inputPlanes, row);
    transposePlanes(block, inputPlanes, transposed);
    addWeightGradients(block, outputPlanes, transposed, weightGradient);
    multiplyTransposed(block, outputPlanes, inputPlanes);
    storeInputGradient(input, image, block, inputPlanes, row, sums);
  }
}

void StridedConvolution3::loadOutputGradient(const FeatureMap& output, const GradientTerms& terms, int image,
                                             float* planes, float* row) const {
  for (int o = 0; o < output_.count; ++o) {
    loadGradientRow(output, output_.first, o, terms, image, row);
    float* plane = planes + static_cast<size_t>(o) * shape_.size;
    for (int y = 0; y < shape_.height; ++y)
      std::memcpy(plane + shape_.position(y, 0), row + y * shape_.width, shape_.width * sizeof(float));
  }
}

/** The gradients of the phase planes: each tap the other way round. */
void StridedConvolution3::multiplyTransposed(InputBlock block, const float* outputPlanes, float* inputPlanes) const {
  const Split groups = rowGroups(block.count);
  int shifts[kTaps];
  for (int tap = 0; tap < kTaps; ++tap) shifts[tap] = -taps_[tap].shift;
  for (int at = 0; at < shape_.blocks; at += kSharedPositions) {
    const int end = std::min(at + kSharedPositions, shape_.blocks);
    const float* weights = backwardWeights_.data() + static_cast<size_t>(block.start) * output_.count * kTaps;
    for (int g = 0; g < groups.count; ++g)
      withRows(groups.size(g), [&](auto m) {
        for (int phase = 0, first = 0; phase < phases(); ++phase) {
          int count = 0;
          while (first + count < kTaps && taps_[first + count].phase == phase) ++count;
          float* to = inputPlanes + static_cast<size_t>(groups.start(g)) * channelFloats() + phase * shape_.size;
          for (int i = at; i < end; ++i) {
            const int* offsets = shape_.offsets.data() + i * kVectors;
            Block<m> sum;
            clear(sum);
            convolveTaps(sum, output_.count, weights, outputPlanes, shape_.size, shifts + first, count, offsets);
            writeAt(sum, to, channelFloats(), offsets);
          }
          weights += static_cast<size_t>(m) * output_.count * count;
          first += count;
        }
      });
  }
}

void StridedConvolution3::storeInputGradient(FeatureMap& input, int image, InputBlock block, const float* planes,
                                             float* row, NormVectors& sums) const {
  const int width = input.width(), height = input.height();
  for (int i = 0; i < block.count; ++i) {
    const float* channel = planes + static_cast<size_t>(i) * channelFloats();
    for (int y = 0; y < height; ++y)
      for (int phase = 0; phase < stride_; ++phase) {
        const float* from = channel + (y % stride_ * stride_ + phase) * shape_.size + shape_.position(y / stride_, 0);
        for (int x = phase; x < width; x += stride_) row[y * width + x] = *from++;
      }
    const int c = block.start + i;
    const float scale = norm_->scale()[c], shift = norm_->shift()[c], center = norm_->center()[c];
    forImage(input, image, [&](int tile, int lane, int pixel, int length) {
      const float* x = input.tile(tile) + (input_.first + c) * kTile + lane;
      float* to = input.gradientTile(tile) + (input_.first + c) * kTile + lane;
      const TileMask mask(0, length);
      float incoming[kTile], pixels[kTile] = {}, before[kTile] = {};
      std::memcpy(incoming, row + pixel, kTile * sizeof(float));
      std::memcpy(pixels, x, length * sizeof(float));
      std::memcpy(before, to, length * sizeof(float));
      for (int v = 0; v < kVectors; ++v) {
        const Vec value = load(pixels + v * kLanes);
        const IntVec active = (value * splat(scale) + splat(shift) > Vec{}) & mask.vectors[v];
        const Vec g = keep(active, load(incoming + v * kLanes)), scaled = g * splat(scale);
        store(before + v * kLanes, firstReader_ ? scaled : load(before + v * kLanes) + scaled);
        sums.gradient[c] += g;
        sums.product[c] += keep(active, g * (value - splat(center)));
      }
      std::memcpy(to, before, length * sizeof(float));
    });
  }
}

/** [input of the block][phase][position] → [kTile inputs][phase][position][input of these]. */
void StridedConvolution3::transposePlanes(InputBlock block, const float* planes, float* transposed) const {
  const size_t floats = static_cast<size_t>(channelFloats());
  for (int c = 0; c < block.count; c += kLanes) {
    float* to = transposed + static_cast<size_t>(c / kTile) * floats * kTile + c % kTile;
    for (size_t position = 0; position < floats; position += kLanes) {
      Vec square[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        square[i] = c + i < block.count ? load(planes + (c + i) * floats + position) : Vec{};
      transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(to + (position + i) * kTile, square[i]);
    }
  }
}

void StridedConvolution3::addWeightGradients(InputBlock block, const float* outputPlanes, const float* transposed,
                                             float* weightGradient) const {
  constexpr int kBandFloats = 5 * 1024;  // rows of transposed planes that stay in the first-level cache
  const int band = std::max(1, kBandFloats / kTile / shape_.stride - 2);
  const Split groups = rowGroups(output_.count);
  const int padded = filters_.paddedInputs(), count = roundUp(block.count, kLanes);
  for (int y = 0; y < shape_.height; y += band) {
    const OuterShape shape{std::min(band, shape_.height - y), shape_.width, shape_.size, shape_.stride, kTile,
                           static_cast<ptrdiff_t>(shape_.stride) * kTile};
    const int position = shape_.position(y, 0);
    for (int c = 0; c < count; c += kTile)
      for (int g = 0; g < groups.count; ++g)
        for (const Tap& tap : taps_) {
          const float* pixels = transposed + static_cast<size_t>(c) * channelFloats() +
                                static_cast<size_t>(tap.phase * shape_.size + position + tap.shift) * kTile;
          float* to =
              weightGradient + (static_cast<size_t>(groups.start(g)) * kTaps + tap.index) * padded + block.start + c;
          withRows(groups.size(g), [&](auto m) {
            withVectors(std::min(kVectors, (count - c) / kLanes), [&](auto v) {
              Block<m, v> sum;
              read(sum, to, kTaps * padded);
              addOuterProducts(sum, shape, outputPlanes + static_cast<size_t>(groups.start(g)) * shape_.size + position,
                               pixels);
              write(sum, to, kTaps * padded);
            });
          });
        }
  }
}

}  // namespace densenet
