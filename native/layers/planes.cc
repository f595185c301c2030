#include "planes.h"

namespace densenet {

PlaneShape::PlaneShape(int height, int width)
    : height(height), width(width), stride(width + 1), aligned(width % kLanes == 0) {
  size = roundUp((height + 2) * stride + 1 + kTile, kLanes);
  if (size % 1024 == 0) size += kLanes;  // planes a multiple of 4 KiB apart would compete for the same cache lines
  if (roundUp(width, kLanes) <= stride) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; x += kLanes) offsets.push_back(position(y, x));
  } else {  // vectors that begin with a row would reach pixels of the next one
    for (int i = 0; i < height * stride - 1; i += kLanes) offsets.push_back(position(0, 0) + i);
  }
  while (offsets.size() % kVectors != 0) offsets.push_back(offsets.back());
  blocks = static_cast<int>(offsets.size()) / kVectors;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) positions.push_back(position(y, x));
}

InputBlocks::InputBlocks(int channels, int floats)
    : channels_(channels), units_(Split::into(roundUp(channels, kTile) / kTile, std::max(1, kFloats / floats / kTile))) {}

InputBlock InputBlocks::operator[](int index) const {
  const int start = units_.start(index) * kTile;
  return {start, std::min(units_.start(index + 1) * kTile, channels_) - start};
}

}  // namespace densenet
