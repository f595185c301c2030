// From the description of a network to its layers, in the order of parameters(network).
#include <cmath>

#include "layers/classifier.h"
#include "layers/convolution3.h"
#include "layers/first_convolution.h"
#include "layers/pointwise.h"
#include "layers/pooling.h"
#include "layers/winograd.h"
#include "network.h"
#include "network_cursor.h"

namespace densenet {

namespace {

constexpr int kBottleneckWidth = 4;  // BOTTLENECK_WIDTH of src/networks/network.ts

Window windowOf(const StageDescription& stage) { return {stage.kernel, stage.stride, stage.padding}; }

}  // namespace

void Network::build() {
  Cursor at{{-1, 0, description_.channels}, description_.height, description_.width};
  for (size_t i = 0; i < description_.stages.size(); ++i) {
    const StageDescription& stage = description_.stages[i];
    switch (stage.kind) {
      case StageDescription::kConvolution:
        addConvolution(i, at);
        break;
      case StageDescription::kMaxPooling: {
        const bool follows = description_.stages[i - 1].kind == StageDescription::kConvolution;
        if (follows && description_.stages[i - 1].normalized) break;  // fused with the convolution's normalisation
        const int height = windowOf(stage).outputs(at.height), width = windowOf(stage).outputs(at.width);
        const Channels to{addMap(channelsFrom(i + 1, at.channels.count), height, width), 0, at.channels.count};
        addLayer("pool0", std::make_unique<MaxPooling>(nullptr, at.channels, to,
                                                       windowOf(stage)));
        at.channels = to;
        at.height = height;
        at.width = width;
        break;
      }
      case StageDescription::kDenseBlock:
        addBlock(stage, at);
        break;
      case StageDescription::kTransition:
        addTransition(i, at);
        break;
      case StageDescription::kResidualStage:
        addResidualStage(stage, at);
        break;
      case StageDescription::kClassifier: {
        const int channels = at.channels.count;
        auto norm = stage.normalized ? std::make_unique<Norm>(parameters_, channels) : std::make_unique<Norm>(channels);
        addLayer("classifier",
                 std::make_unique<Classifier>(parameters_, std::move(norm), at.channels, description_.classes));
        break;
      }
    }
  }
}

/** Channels of a map that enters stage `index` with `channels`: the dense blocks from there on append to it. */
int Network::channelsFrom(size_t index, int channels) const {
  for (; index < description_.stages.size(); ++index) {
    const StageDescription& stage = description_.stages[index];
    if (stage.kind != StageDescription::kDenseBlock) break;
    channels += stage.layers * stage.growthRate;
  }
  return channels;
}

void Network::addConvolution(size_t index, Cursor& at) {
  const StageDescription& stage = description_.stages[index];
  const int height = windowOf(stage).outputs(at.height), width = windowOf(stage).outputs(at.width);
  const int capacity = stage.normalized ? stage.outputChannels : channelsFrom(index + 1, stage.outputChannels);
  Channels to{addMap(capacity, height, width), 0, stage.outputChannels};
  addLayer("conv0", makeLayer<FirstConvolution>(parameters_, at.channels.count, at.height, at.width, to,
                                                windowOf(stage),
                                                static_cast<double>(height) * width));
  ++at.convolutions;
  at.channels = to;
  at.height = height;
  at.width = width;
  if (!stage.normalized) return;
  StageDescription pooling;
  pooling.kernel = pooling.stride = 1;
  const bool pooled = description_.stages[index + 1].kind == StageDescription::kMaxPooling;
  if (pooled) pooling = description_.stages[index + 1];
  at.height = windowOf(pooling).outputs(at.height);
  at.width = windowOf(pooling).outputs(at.width);
  to.map = addMap(channelsFrom(index + (pooled ? 2 : 1), to.count), at.height, at.width);
  addLayer("norm0, pool0", std::make_unique<MaxPooling>(
                               std::make_shared<Norm>(parameters_, at.channels.count), at.channels, to,
                               windowOf(pooling)));
  at.channels = to;
}

std::unique_ptr<Layer> Network::makeConvolution3(std::shared_ptr<Norm> norm, size_t weights, Channels input,
                                                 Channels output, Dropout dropout, bool firstReader, int height,
                                                 int width) {
  if (options_.precision == Precision::kFloat32 && WinogradConvolution3::pays(input.count, output.count, height, width))
    return std::make_unique<WinogradConvolution3>(parameters_, std::move(norm), weights, input, output, dropout,
                                                  firstReader, height, width);
  return makeLayer<Convolution3>(parameters_, std::move(norm), weights, input, output, dropout, firstReader, height,
                                 width);
}

void Network::addBlock(const StageDescription& stage, Cursor& at) {
  const std::string name = "denseblock" + std::to_string(++at.blocks);
  const double pixels = static_cast<double>(at.height) * at.width;
  for (int i = 0; i < stage.layers; ++i) {
    Channels input = at.channels;
    const Channels to{input.map, input.first + input.count, stage.growthRate};
    Layer* bottleneck = nullptr;
    if (stage.bottleneck) {
      const int inner = kBottleneckWidth * stage.growthRate;
      const Channels middle{addMap(inner, at.height, at.width, {kInner, kInner, Keep::kUnlessEfficient}), 0, inner};
      auto norm = std::make_shared<Norm>(parameters_, input.count);
      const size_t weights = parameters_.add(static_cast<size_t>(input.count) * inner, true);
      auto layer = makeLayer<Pointwise>(parameters_, std::move(norm), weights, input, middle,
                                        Dropout(stage.dropout, at.convolutions++), PointwiseOptions{true, false},
                                        pixels);
      bottleneck = layer.get();
      addLayer(name, std::move(layer));
      input = middle;
    }
    auto norm = std::make_shared<Norm>(parameters_, input.count);
    const size_t weights = parameters_.add(size_t{9} * input.count * to.count, true);
    addLayer(name,
             makeConvolution3(std::move(norm), weights, input, to, Dropout(stage.dropout, at.convolutions++),
                              stage.bottleneck, at.height, at.width),
             Use::kAlways, bottleneck);
    at.channels.count += stage.growthRate;
  }
}

/**
 * Averaging and a 1×1 convolution commute; the cheaper order is averaging first. Only dropout between them, in
 * training, needs the order of the definition.
 */
void Network::addTransition(size_t index, Cursor& at) {
  const StageDescription& stage = description_.stages[index];
  const std::string name = "transition" + std::to_string(++at.transitions);
  const int height = at.height / 2, width = at.width / 2, inputs = at.channels.count, outputs = stage.outputChannels;
  const auto norm = std::make_shared<Norm>(parameters_, inputs);
  const size_t weights = parameters_.add(static_cast<size_t>(inputs) * outputs, true);
  const Dropout dropout(stage.dropout, at.convolutions++);
  const double pixels = static_cast<double>(at.height) * at.width;
  const bool dropped = stage.dropout > 0;
  const Channels full{dropped ? addMap(outputs, at.height, at.width, Use::kTraining) : -1, 0, outputs};
  const Use use = dropped ? Use::kEvaluation : Use::kAlways;
  const Channels averaged{addMap(inputs, height, width, use), 0, inputs};
  const Channels to{addMap(channelsFrom(index + 1, outputs), height, width), 0, outputs};
  if (dropped) {
    addLayer(name, makeLayer<Pointwise>(parameters_, norm, weights, at.channels, full, dropout,
                                        PointwiseOptions{false, true}, pixels), Use::kTraining);
    addLayer(name, std::make_unique<AveragePooling>(nullptr, full, to, true), Use::kTraining);
  }
  addLayer(name, std::make_unique<AveragePooling>(norm, at.channels, averaged, false), use);
  addLayer(name, makeLayer<Pointwise>(parameters_, nullptr, weights, averaged, to, dropout,
                                      PointwiseOptions{true, true}, pixels), use);
  at.channels = to;
  at.height = height;
  at.width = width;
}

}  // namespace densenet
