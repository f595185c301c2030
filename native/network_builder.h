// From the description of a network to what Network runs.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/operands.h"
#include "layers/convolution_spec.h"
#include "network_plan.h"

namespace densenet {

/** What convolutions multiply. Sums, and all that is stored, are single precision. */
enum class Precision { kFloat32, kBfloat16 };

struct NetworkOptions {
  /** Compute the bottlenecks' outputs again for the backward pass instead of keeping them. */
  bool memoryEfficient = false;
  Precision precision = Precision::kFloat32;
};

/** Goes through the stages, and adds the layers and maps of each in the order of parameters(network). */
class NetworkBuilder {
 public:
  NetworkBuilder(const NetworkDescription& description, NetworkOptions options);

  /** The whole network, its parameters allocated and 0. Call once. */
  NetworkPlan build();

 private:
  /** Adds one residual unit. */
  class UnitBuilder;

  void addConvolution(size_t index);
  void addMaxPooling(size_t index);
  void addBlock(const StageDescription& stage);
  void addTransition(size_t index);
  void addResidualStage(const StageDescription& stage);
  void addClassifier(const StageDescription& stage);

  int addMap(int channels, int height, int width, Place place, Use use = Use::kAlways);
  /** A map between two stages; neighbours do not share gradients. */
  int addMap(int channels, int height, int width, Use use = Use::kAlways);
  void addLayer(PlannedLayer layer);
  /** The next stage reads these channels of a map of this size. */
  void moveTo(Channels channels, int height, int width);
  /** Channels of a map that enters stage `index` with `channels`: the dense blocks from there on append to it. */
  int channelsFrom(size_t index, int channels) const;

  std::shared_ptr<Norm> makeNorm(int channels) { return std::make_shared<Norm>(parameters(), channels); }
  /** A layer whose products are of the network's precision. */
  template <template <class Operand> class L, class... Arguments>
  std::unique_ptr<Layer> makeLayer(Arguments&&... arguments) {
    if (options_.precision == Precision::kBfloat16)
      return std::make_unique<L<BfloatPairs>>(parameters(), std::forward<Arguments>(arguments)...);
    return std::make_unique<L<Single>>(parameters(), std::forward<Arguments>(arguments)...);
  }
  /** A 3×3 convolution by the kernel that suits its shape: never threads or batch decide, so results stay the same. */
  std::unique_ptr<Layer> makeConvolution3(ConvolutionSpec spec);

  Parameters& parameters() { return *plan_.parameters; }
  const std::vector<StageDescription>& stages() const { return plan_.description.stages; }

  NetworkOptions options_;
  NetworkPlan plan_;
  /** What the next stage reads. */
  Channels channels_;
  int height_, width_;
  /** How many came before. */
  int blocks_ = 0, transitions_ = 0, residualStages_ = 0, convolutions_ = 0;
  /** Which of the two gradients of maps between stages the last one has. */
  int trunk_ = 0;
};

}  // namespace densenet
