#include "strided_convolution.h"

#include <cstring>

namespace densenet {

namespace {

int outputSize(int size, int stride) { return (size - 1) / stride + 1; }

}  // namespace

StridedConvolution3::StridedConvolution3(Parameters& parameters, ConvolutionSpec spec, int stride)
    : input_(spec.input), output_(spec.output), stride_(stride), firstReader_(spec.firstReader),
      shape_(outputSize(spec.height, stride), outputSize(spec.width, stride)),
      blocks_(input_.count, channelFloats()),
      norm_(std::move(spec.norm)), filters_(parameters, spec.weights, input_.count, output_.count),
      forwardWeights_(static_cast<size_t>(kTaps) * input_.count * output_.count),
      backwardWeights_(forwardWeights_.size()) {
  for (int phase = 0; phase < phases(); ++phase)
    for (int tap = 0; tap < kTaps; ++tap) {
      // Row y·stride + r of the input, r = −1, 0, 1, is row y + shift of the planes of phase r − shift·stride.
      const int r = tap / 3 - 1, c = tap % 3 - 1, down = r < 0 ? -1 : r / stride, right = c < 0 ? -1 : c / stride;
      if ((r - down * stride) * stride + c - right * stride == phase)
        taps_.push_back({tap, phase, down * shape_.stride + right});
    }
}

void StridedConvolution3::prepare(Executor& executor, bool training) {
  const float* weights = filters_.values();
  const int inputs = input_.count, outputs = output_.count;
  const auto weight = [&](int o, int c, const Tap& tap) {
    return weights[(static_cast<size_t>(o) * inputs + c) * kTaps + tap.index];
  };
  executor.forEach(blocks_.count(), [&](int b, Scratch&) {
    const InputBlock block = blocks_[b];
    const size_t before = static_cast<size_t>(block.start) * outputs * kTaps;
    const Split outputGroups = rowGroups(outputs), inputGroups = rowGroups(block.count);
    float* to = forwardWeights_.data() + before;
    for (int g = 0; g < outputGroups.count; ++g)
      for (int c = block.start; c < block.start + block.count; ++c)
        for (const Tap& tap : taps_)
          for (int m = 0; m < outputGroups.size(g); ++m) *to++ = weight(outputGroups.start(g) + m, c, tap);
    if (!training) return;
    to = backwardWeights_.data() + before;
    for (int g = 0; g < inputGroups.count; ++g)
      for (int phase = 0; phase < phases(); ++phase)
        for (int o = 0; o < outputs; ++o)
          for (const Tap& tap : taps_)
            if (tap.phase == phase)
              for (int m = 0; m < inputGroups.size(g); ++m)
                *to++ = weight(o, block.start + inputGroups.start(g) + m, tap);
  });
  if (!training) norm_->useRunning();
}

void StridedConvolution3::forward(const Pass& pass) {
  if (pass.training) norm_->useBatch(pass.map(input_.map), true);
  forwardImages(pass, filters_, output_, [&](int first, int end, MomentSums& moments, Scratch& scratch) {
    for (int image = first; image < end; ++image) {
      scratch.reset();
      forwardImage(pass, image, scratch, moments);
    }
  });
}

void StridedConvolution3::forwardImage(const Pass& pass, int image, Scratch& scratch, MomentSums& moments) const {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const size_t size = static_cast<size_t>(shape_.size), channel = static_cast<size_t>(channelFloats());
  float* planes = scratch.take(channel * blocks_.largest());
  float* outputs = scratch.take(size * output_.count);
  float* row = scratch.take(static_cast<size_t>(input.imagePixels()) + kTile);
  const Split groups = rowGroups(output_.count);
  int shifts[kTaps];
  for (int tap = 0; tap < kTaps; ++tap) shifts[tap] = taps_[tap].phase * shape_.size + taps_[tap].shift;
  for (int b = 0; b < blocks_.count(); ++b) {
    const InputBlock block = blocks_[b];
    loadPlanes(input, image, block, planes, row);
    for (int at = 0; at < shape_.blocks; at += kSharedPositions) {
      const int end = std::min(at + kSharedPositions, shape_.blocks);
      const float* weights = forwardWeights_.data() + static_cast<size_t>(block.start) * output_.count * kTaps;
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
            convolveTaps(sum, block.count, weights, planes, channelFloats(), shifts, kTaps, offsets);
            writeAt(sum, to, shape_.size, offsets);
          }
        });
        weights += static_cast<size_t>(groups.size(g)) * block.count * kTaps;
      }
    }
  }
  storeOutput(output, image, outputs, row);
  if (pass.training)
    forImage(output, image, [&](int tile, int lane, int, int length) {
      moments.add(output.tile(tile) + output_.first * kTile, lane, lane + length);
    });
}

/** [input of the block][phase][plane] of ReLU(BN(x)), with zeros outside the image. */
void StridedConvolution3::loadPlanes(const FeatureMap& input, int image, InputBlock block, float* planes,
                                     float* row) const {
  const int width = input.width(), height = input.height();
  std::memset(planes, 0, static_cast<size_t>(block.count) * channelFloats() * sizeof(float));
  for (int c = 0; c < block.count; ++c) {
    const float scale = norm_->scale()[block.start + c], shift = norm_->shift()[block.start + c];
    forImage(input, image, [&](int tile, int lane, int pixel, int length) {
      const float* x = input.tile(tile) + (input_.first + block.start + c) * kTile + lane;
      for (int i = 0; i < length; ++i) {
        const float y = x[i] * scale + shift;
        row[pixel + i] = 0 > y ? 0 : y;
      }
    });
    float* channel = planes + static_cast<size_t>(c) * channelFloats();
    for (int y = 0; y < height; ++y)
      for (int phase = 0; phase < stride_; ++phase) {
        const float* from = row + y * width;
        float* to = channel + (y % stride_ * stride_ + phase) * shape_.size + shape_.position(y / stride_, 0);
        for (int x = phase; x < width; x += stride_) *to++ = from[x];
      }
  }
}

void StridedConvolution3::storeOutput(const FeatureMap& output, int image, const float* planes, float* row) const {
  for (int o = 0; o < output_.count; ++o) {
    const float* plane = planes + static_cast<size_t>(o) * shape_.size;
    for (int y = 0; y < shape_.height; ++y)
      std::memcpy(row + y * shape_.width, plane + shape_.position(y, 0), shape_.width * sizeof(float));
    forImage(output, image, [&](int tile, int lane, int pixel, int length) {
      std::memcpy(output.tile(tile) + (output_.first + o) * kTile + lane, row + pixel, length * sizeof(float));
    });
  }
}

}  // namespace densenet
