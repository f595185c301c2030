#include "planes.h"

namespace densenet {

PlaneShape::PlaneShape(int height, int width)
    : height(height), width(width), stride(width + 1), aligned(width % kLanes == 0) {
  size = (height + 2) * stride + 1 + kTile;
  size = (size + kLanes - 1) / kLanes * kLanes;
  if (size % 1024 == 0) size += kLanes;  // planes a multiple of 4 KiB apart would compete for the same cache lines
  const int perRow = (width + kLanes - 1) / kLanes * height;
  const int flat = (height * stride - 1 + kLanes - 1) / kLanes;
  if (perRow <= flat) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; x += kLanes) offsets.push_back(position(y, x));
  } else {
    for (int i = 0; i < flat; ++i) offsets.push_back(position(0, 0) + i * kLanes);
  }
  while (offsets.size() % kVectors != 0) offsets.push_back(offsets.back());
  blocks = static_cast<int>(offsets.size()) / kVectors;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) positions.push_back(position(y, x));
}

}  // namespace densenet
