#include "padding.h"

#include <algorithm>

#include "strides.h"
#include "tasks.h"

namespace densenet {

void Padding::forward(const Pass& pass) {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const Split tasks = tileTasks(output, 1);
  const int copied = std::min(input_.count, output_.count);
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      float* to = output.tile(tile) + output_.first * kTile;
      const TileOffsets offsets = sampledOffsets(output, tile, input, stride_);
      for (int c = 0; c < copied; ++c) gather(input.data + (input_.first + c) * kTile, offsets, to + c * kTile);
      std::fill(to + copied * kTile, to + output_.count * kTile, 0.0f);
    }
  });
}

void Padding::backward(const Pass& pass) {
  const FeatureMap &input = pass.map(input_.map), &output = pass.map(output_.map);
  const Split tasks = tileTasks(input, 1);
  const int copied = std::min(input_.count, output_.count);
  pass.executor.forEach(tasks.count, [&](int task, Scratch&) {
    for (int tile = tasks.start(task); tile < tasks.start(task + 1); ++tile) {
      float* to = input.gradientTile(tile) + input_.first * kTile;
      const TileOffsets offsets = samplingOffsets(input, tile, output, stride_);
      for (int c = 0; c < copied; ++c) gather(output.gradient + (output_.first + c) * kTile, offsets, to + c * kTile);
      std::fill(to + copied * kTile, to + input_.count * kTile, 0.0f);
    }
  });
}

}  // namespace densenet
