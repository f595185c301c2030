#include "network_builder.h"

#include "layers/classifier.h"
#include "layers/convolution3.h"
#include "layers/first_convolution.h"
#include "layers/pointwise.h"
#include "layers/pooling.h"
#include "layers/winograd.h"

namespace densenet {

namespace {

constexpr int kBottleneckWidth = 4;  // BOTTLENECK_WIDTH of src/networks/network.ts

Window windowOf(const StageDescription& stage) { return {stage.kernel, stage.stride, stage.padding}; }

}  // namespace

NetworkBuilder::NetworkBuilder(const NetworkDescription& description, NetworkOptions options)
    : options_(options), plan_{description, std::make_unique<Parameters>(), {}, {}, {}},
      channels_{-1, 0, description.channels}, height_(description.height), width_(description.width) {}

NetworkPlan NetworkBuilder::build() {
  for (size_t i = 0; i < stages().size(); ++i) {
    const StageDescription& stage = stages()[i];
    switch (stage.kind) {
      case StageDescription::kConvolution:
        addConvolution(i);
        break;
      case StageDescription::kMaxPooling:
        addMaxPooling(i);
        break;
      case StageDescription::kDenseBlock:
        addBlock(stage);
        break;
      case StageDescription::kTransition:
        addTransition(i);
        break;
      case StageDescription::kResidualStage:
        addResidualStage(stage);
        break;
      case StageDescription::kClassifier:
        addClassifier(stage);
        break;
    }
  }
  parameters().allocate();
  return std::move(plan_);
}

int NetworkBuilder::addMap(int channels, int height, int width, Place place, Use use) {
  plan_.maps.push_back({FeatureMap(channels, height, width), place, use});
  return static_cast<int>(plan_.maps.size()) - 1;
}

int NetworkBuilder::addMap(int channels, int height, int width, Use use) {
  if (use != Use::kEvaluation) trunk_ ^= 1;
  return addMap(channels, height, width, {kOwn, kTrunk + trunk_}, use);
}

void NetworkBuilder::addLayer(PlannedLayer layer) { plan_.layers.push_back(std::move(layer)); }

void NetworkBuilder::moveTo(Channels channels, int height, int width) {
  channels_ = channels;
  height_ = height;
  width_ = width;
}

int NetworkBuilder::channelsFrom(size_t index, int channels) const {
  for (; index < stages().size(); ++index) {
    const StageDescription& stage = stages()[index];
    if (stage.kind != StageDescription::kDenseBlock) break;
    channels += stage.layers * stage.growthRate;
  }
  return channels;
}

std::unique_ptr<Layer> NetworkBuilder::makeConvolution3(ConvolutionSpec spec) {
  if (options_.precision == Precision::kFloat32 &&
      WinogradConvolution3::pays(spec.input.count, spec.output.count, spec.height, spec.width))
    return std::make_unique<WinogradConvolution3>(parameters(), std::move(spec));
  return makeLayer<Convolution3>(std::move(spec));
}

/** Where its output is normalised, max pooling behind it, or a copy, reads that normalised. */
void NetworkBuilder::addConvolution(size_t index) {
  const StageDescription& stage = stages()[index];
  const int height = windowOf(stage).outputs(height_), width = windowOf(stage).outputs(width_);
  const int capacity = stage.normalized ? stage.outputChannels : channelsFrom(index + 1, stage.outputChannels);
  const Channels to{addMap(capacity, height, width), 0, stage.outputChannels};
  addLayer({"conv0", makeLayer<FirstConvolution>(channels_.count, height_, width_, to, windowOf(stage))});
  ++convolutions_;
  moveTo(to, height, width);
  if (!stage.normalized) return;
  const bool pooled = stages()[index + 1].kind == StageDescription::kMaxPooling;
  const Window window = pooled ? windowOf(stages()[index + 1]) : Window{1, 1, 0};
  const int rows = window.outputs(height), columns = window.outputs(width);
  const Channels pool{addMap(channelsFrom(index + (pooled ? 2 : 1), to.count), rows, columns), 0, to.count};
  addLayer({"norm0, pool0", std::make_unique<MaxPooling>(makeNorm(to.count), to, pool, window)});
  moveTo(pool, rows, columns);
}

void NetworkBuilder::addMaxPooling(size_t index) {
  const StageDescription& before = stages()[index - 1];
  if (before.kind == StageDescription::kConvolution && before.normalized) return;  // added with the convolution
  const Window window = windowOf(stages()[index]);
  const int height = window.outputs(height_), width = window.outputs(width_), channels = channels_.count;
  const Channels to{addMap(channelsFrom(index + 1, channels), height, width), 0, channels};
  addLayer({"pool0", std::make_unique<MaxPooling>(nullptr, channels_, to, window)});
  moveTo(to, height, width);
}

void NetworkBuilder::addBlock(const StageDescription& stage) {
  const std::string name = "denseblock" + std::to_string(++blocks_);
  for (int i = 0; i < stage.layers; ++i) {
    Channels input = channels_;
    const Channels to{input.map, input.first + input.count, stage.growthRate};
    Layer* again = nullptr;
    if (stage.bottleneck) {
      const int inner = kBottleneckWidth * stage.growthRate;
      const Place place{kInner, kInner, !options_.memoryEfficient};
      const Channels middle{addMap(inner, height_, width_, place), 0, inner};
      auto norm = makeNorm(input.count);
      const size_t weights = parameters().add(static_cast<size_t>(input.count) * inner, true);
      auto layer = makeLayer<Pointwise>(ConvolutionSpec{std::move(norm), weights, input, middle, height_, width_,
                                                        false, Dropout(stage.dropout, convolutions_++)},
                                        true);
      if (!place.kept) again = layer.get();
      addLayer({name, std::move(layer)});
      input = middle;
    }
    auto norm = makeNorm(input.count);
    const size_t weights = parameters().add(size_t{9} * input.count * to.count, true);
    addLayer({name,
              makeConvolution3({std::move(norm), weights, input, to, height_, width_, stage.bottleneck,
                                Dropout(stage.dropout, convolutions_++)}),
              Use::kAlways, again});
    channels_.count += stage.growthRate;
  }
}

/**
 * Averaging and a 1×1 convolution commute; the cheaper order is averaging first. Only dropout between them, in
 * training, needs the order of the definition.
 */
void NetworkBuilder::addTransition(size_t index) {
  const StageDescription& stage = stages()[index];
  const std::string name = "transition" + std::to_string(++transitions_);
  const int height = height_ / 2, width = width_ / 2, inputs = channels_.count, outputs = stage.outputChannels;
  const auto norm = makeNorm(inputs);
  const size_t weights = parameters().add(static_cast<size_t>(inputs) * outputs, true);
  const Dropout dropout(stage.dropout, convolutions_++);
  const bool dropped = stage.dropout > 0;
  const Channels full{dropped ? addMap(outputs, height_, width_, Use::kTraining) : -1, 0, outputs};
  const Use use = dropped ? Use::kEvaluation : Use::kAlways;
  const Channels averaged{addMap(inputs, height, width, use), 0, inputs};
  const Channels to{addMap(channelsFrom(index + 1, outputs), height, width), 0, outputs};
  if (dropped) {
    addLayer({name,
              makeLayer<Pointwise>(ConvolutionSpec{norm, weights, channels_, full, height_, width_, true, dropout},
                                   false),
              Use::kTraining});
    addLayer({name, std::make_unique<AveragePooling>(nullptr, full, to, true), Use::kTraining});
  }
  addLayer({name, std::make_unique<AveragePooling>(norm, channels_, averaged, false), use});
  addLayer({name,
            makeLayer<Pointwise>(ConvolutionSpec{nullptr, weights, averaged, to, height_, width_, true, dropout}, true),
            use});
  moveTo(to, height, width);
}

void NetworkBuilder::addClassifier(const StageDescription& stage) {
  const int channels = channels_.count;
  auto norm = stage.normalized ? std::make_unique<Norm>(parameters(), channels) : std::make_unique<Norm>(channels);
  addLayer({"classifier",
            std::make_unique<Classifier>(parameters(), std::move(norm), channels_, plan_.description.classes)});
}

}  // namespace densenet
