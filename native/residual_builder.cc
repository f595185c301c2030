// From a stage of residual units to its layers. src/networks/residual.ts says what a unit is.
#include "layers/activation.h"
#include "layers/padding.h"
#include "layers/pointwise.h"
#include "layers/residual_sum.h"
#include "layers/strided_convolution.h"
#include "network_builder.h"

namespace densenet {

namespace {

/** A map on its way through a unit, and how its next reader normalises it. */
struct Reading {
  Channels channels;
  std::shared_ptr<Norm> norm;
  int height, width;
};

int sampled(int size, int stride) { return (size - 1) / stride + 1; }

}  // namespace

/** Layers backward: sum, last convolution, shortcut, other convolutions, so the shortcut writes first. */
class NetworkBuilder::UnitBuilder {
 public:
  UnitBuilder(NetworkBuilder& network, const StageDescription& stage, int index)
      : network_(network), parameters_(network.parameters()), stage_(stage), input_(network.channels_),
        name_("layer" + std::to_string(network.residualStages_)), stride_(index == 0 ? stage.stride : 1),
        unit_(static_cast<int>(network.plan_.units.size())), pre_(stage.preActivation),
        survival_(stage.survival[index]), same_(input_.count == stage.outputChannels && stride_ == 1),
        projects_(!same_ && stage.projection) {
    kernels_ = stage.bottleneck ? std::vector<int>{1, 3, 1} : std::vector<int>{3, 3};
    strided_ = stage.bottleneck && !pre_ ? 1 : 0;
  }

  void build() {
    addParameters();
    const int height = sampled(network_.height_, stride_), width = sampled(network_.width_, stride_);
    const int gradient = same_ ? kTrunk + network_.trunk_ : kTrunk + (network_.trunk_ ^= 1);
    output_ = {network_.addMap(stage_.outputChannels, height, width, {kTrunk + unit_ % 2, gradient}), 0,
               stage_.outputChannels};
    const Reading input{input_, plain(input_), network_.height_, network_.width_};
    Reading read = input;
    if (pre_) read.norm = norms_[0];
    if (pre_ && projects_) read = activate(read, kernels_[0] == 1 ? stride_ : 1, kActivated, true, -1);
    const Reading first = read;
    for (int i = 0; i + 1 < convolutions(); ++i) read = convolve(read, i);
    const ResidualSum::Summand shortcut = addShortcut(pre_ ? first : input);
    if (stage_.dropout > 0) read = drop(read);
    read = convolve(read, convolutions() - 1);
    const ResidualSum::Summand branch{read.channels.map, read.norm};
    const bool skipped = same_;  // without its branch an identity unit has nothing to do
    addLayer(std::make_unique<ResidualSum>(branch, shortcut, output_,
                                           ResidualSum::Options{!pre_, survival_, unit_}),
             skipped ? unit_ : -1);
    network_.plan_.units.push_back({input_.map, output_.map, same_, begin_, end_});
    network_.moveTo(output_, height, width);
    network_.convolutions_ += convolutions() + (projects_ ? 1 : 0);
  }

 private:
  int convolutions() const { return static_cast<int>(kernels_.size()); }
  int outputs(int i) const { return i + 1 == convolutions() ? stage_.outputChannels : stage_.innerChannels; }
  static std::shared_ptr<Norm> plain(Channels channels) { return std::make_shared<Norm>(channels.count); }
  void addLayer(std::unique_ptr<Layer> layer, int unit, Layer* again = nullptr) {
    network_.addLayer({name_, std::move(layer), Use::kAlways, again, unit});
  }

  /** In the order of parameters(network). */
  void addParameters() {
    begin_ = parameters_.size();
    int inputs = input_.count;
    for (int i = 0; i < convolutions(); ++i) {
      if (pre_) norms_.push_back(network_.makeNorm(inputs));
      if (i == 0 && pre_ && projects_) begin_ = parameters_.size();  // the shortcut reads it too
      weights_.push_back(parameters_.add(static_cast<size_t>(kernels_[i]) * kernels_[i] * inputs * outputs(i), true));
      inputs = outputs(i);
      if (!pre_) norms_.push_back(network_.makeNorm(inputs));
    }
    end_ = parameters_.size();
    if (!projects_) return;
    projectionWeights_ = parameters_.add(static_cast<size_t>(input_.count) * inputs, true);
    projectionNorm_ = pre_ ? std::make_shared<Norm>(inputs) : network_.makeNorm(inputs);
  }

  int innerMap(int channels, int height, int width, int slot, bool kept = true) {
    return network_.addMap(channels, height, width, {slot, slot, kept});
  }

  /** A map of what is read, at every stride-th row and column. */
  Reading activate(const Reading& read, int stride, int slot, bool firstReader, int unit) {
    const int channels = read.channels.count, height = sampled(read.height, stride), width = sampled(read.width, stride);
    const Channels to{innerMap(channels, height, width, slot), 0, channels};
    addLayer(std::make_unique<Activation>(read.norm, read.channels, to, stride, Dropout(0, 0), firstReader), unit);
    return {to, plain(to), height, width};
  }

  Reading drop(const Reading& read) {
    const int channels = read.channels.count;
    const bool kept = !network_.options_.memoryEfficient;
    const Channels to{innerMap(channels, read.height, read.width, kDropped, kept), 0, channels};
    const Dropout dropout(stage_.dropout, network_.convolutions_ + convolutions() - 1);
    auto layer = std::make_unique<Activation>(read.norm, read.channels, to, 1, dropout, true);
    if (!kept) again_ = layer.get();
    addLayer(std::move(layer), unit_);
    return {to, plain(to), read.height, read.width};
  }

  /** Convolution i of the branch. */
  Reading convolve(Reading read, int i) {
    const bool last = i + 1 == convolutions();
    const bool sampledBefore = pre_ && projects_ && kernels_[0] == 1;
    int stride = i == strided_ && !sampledBefore ? stride_ : 1;
    bool firstReader = i > 0;
    if (kernels_[i] == 1 && stride > 1) {
      read = activate(read, stride, kSampled, firstReader, unit_);
      stride = 1;
      firstReader = true;
    }
    const int height = sampled(read.height, stride), width = sampled(read.width, stride);
    const int slot = kInner + i % 2;
    // The last convolution before a plain sum: its gradient is the sum's, and its output is not needed again.
    const Place place = last && pre_ ? Place{slot, network_.plan_.maps[output_.map].place.gradient, false}
                                     : Place{slot, slot};
    const Channels to{network_.addMap(outputs(i), height, width, place), 0, outputs(i)};
    ConvolutionSpec spec{read.norm, weights_[i], read.channels, to, read.height, read.width, firstReader};
    std::unique_ptr<Layer> layer;
    if (kernels_[i] == 1)
      layer = network_.makeLayer<Pointwise>(std::move(spec), !(last && pre_));
    else if (stride > 1)
      layer = std::make_unique<StridedConvolution3>(parameters_, std::move(spec), stride);
    else
      layer = network_.makeConvolution3(std::move(spec));
    addLayer(std::move(layer), unit_, last ? again_ : nullptr);
    const std::shared_ptr<Norm> next = !pre_ ? norms_[i] : last ? plain(to) : norms_[i + 1];
    return {to, next, height, width};
  }

  /** The layers of the shortcut, which `read` enters. */
  ResidualSum::Summand addShortcut(Reading read) {
    if (same_) return {read.channels.map, plain(read.channels)};
    if (!projects_) {
      addLayer(std::make_unique<Padding>(input_, output_, stride_), -1);
      return {output_.map, plain(output_)};
    }
    const int height = sampled(network_.height_, stride_), width = sampled(network_.width_, stride_);
    if (read.height != height || read.width != width) read = activate(read, stride_, kSampled, true, -1);
    const int outputs = stage_.outputChannels;
    const Channels to = pre_ ? output_ : Channels{innerMap(outputs, height, width, kProjected), 0, outputs};
    addLayer(network_.makeLayer<Pointwise>(
                 ConvolutionSpec{read.norm, projectionWeights_, read.channels, to, height, width, true}, !pre_),
             -1);
    return {to.map, projectionNorm_};
  }

  NetworkBuilder& network_;
  Parameters& parameters_;
  const StageDescription& stage_;
  Channels input_;
  std::string name_;
  int stride_, unit_;
  bool pre_;
  double survival_;
  bool same_, projects_;
  std::vector<int> kernels_;
  int strided_;
  Channels output_{-1, 0, 0};
  /** Of the branch: "pre", of what convolution i reads; "post", of what it makes. */
  std::vector<std::shared_ptr<Norm>> norms_;
  std::vector<size_t> weights_;
  size_t begin_ = 0, end_ = 0, projectionWeights_ = 0;
  std::shared_ptr<Norm> projectionNorm_;
  Layer* again_ = nullptr;
};

void NetworkBuilder::addResidualStage(const StageDescription& stage) {
  ++residualStages_;
  for (int i = 0; i < stage.layers; ++i) UnitBuilder(*this, stage, i).build();
}

}  // namespace densenet
