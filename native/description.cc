#include "description.h"

#include <stdexcept>

namespace densenet {

NetworkDescription parseDescription(const double* numbers, size_t count) {
  if (count < 4 || (count - 4) % kStageFields != 0) throw std::invalid_argument("malformed network description");
  const auto integer = [&](size_t i) { return static_cast<int>(numbers[i]); };
  NetworkDescription network{integer(0), integer(1), integer(2), integer(3), {}};
  for (size_t i = 4; i < count; i += kStageFields) {
    StageDescription stage;
    stage.kind = static_cast<StageDescription::Kind>(integer(i));
    stage.outputChannels = integer(i + 1);
    stage.kernel = integer(i + 2);
    stage.stride = integer(i + 3);
    stage.padding = integer(i + 4);
    stage.normalized = numbers[i + 5] != 0;
    if (stage.kind == StageDescription::kDenseBlock) {
      stage.layers = integer(i + 6);
      stage.growthRate = integer(i + 1);
      stage.bottleneck = numbers[i + 7] != 0;
    }
    stage.dropout = numbers[i + 8];
    network.stages.push_back(stage);
  }
  return network;
}

}  // namespace densenet
