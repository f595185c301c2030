#include "description.h"

#include <stdexcept>

namespace densenet {

NetworkDescription parseDescription(const double* numbers, size_t count) {
  const auto require = [](bool condition) {
    if (!condition) throw std::invalid_argument("malformed network description");
  };
  const auto integer = [&](size_t i) { return static_cast<int>(numbers[i]); };
  require(count >= 4);
  NetworkDescription network{integer(0), integer(1), integer(2), integer(3), {}};
  for (size_t i = 4; i < count;) {
    require(count - i >= kStageFields);
    StageDescription stage;
    stage.kind = static_cast<StageDescription::Kind>(integer(i));
    stage.outputChannels = stage.growthRate = integer(i + 1);
    stage.kernel = integer(i + 2);
    stage.stride = integer(i + 3);
    stage.padding = integer(i + 4);
    stage.normalized = numbers[i + 5] != 0;
    stage.layers = integer(i + 6);
    stage.bottleneck = numbers[i + 7] != 0;
    stage.dropout = numbers[i + 8];
    stage.innerChannels = integer(i + 9);
    stage.preActivation = numbers[i + 10] != 0;
    stage.projection = numbers[i + 11] != 0;
    i += kStageFields;
    if (stage.kind == StageDescription::kResidualStage) {
      const size_t units = static_cast<size_t>(stage.layers);
      require(count - i >= units);
      stage.survival.assign(numbers + i, numbers + i + units);
      i += units;
    }
    network.stages.push_back(stage);
  }
  return network;
}

}  // namespace densenet
