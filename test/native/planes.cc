// Where 3×3 convolutions compute: every pixel, and in one block of vectors only, for what is added up over several
// blocks of input channels is read, added to and written back.
#include <set>

#include "check.h"
#include "layers/planes.h"

using namespace densenet;

namespace {

bool coversEachPixelOnce(int height, int width) {
  const PlaneShape shape(height, width);
  std::vector<std::set<int>> blocks(static_cast<size_t>(shape.size));
  for (size_t i = 0; i < shape.offsets.size(); ++i) {
    if (shape.offsets[i] < 0 || shape.offsets[i] + kLanes > shape.size) return false;
    for (int lane = 0; lane < kLanes; ++lane) blocks[shape.offsets[i] + lane].insert(static_cast<int>(i) / kVectors);
  }
  for (int position : shape.positions)
    if (blocks[position].size() != 1) return false;
  return shape.blocks * kVectors == static_cast<int>(shape.offsets.size());
}

}  // namespace

void testPlanes() {
  for (int height = 1; height <= 40; ++height)
    for (int width = 1; width <= 40; ++width) CHECK(coversEachPixelOnce(height, width));
  for (int channels : {1, 16, 17, 200, 1000}) {
    const InputBlocks blocks(channels, 3000);
    int next = 0;
    for (int i = 0; i < blocks.count(); ++i) {
      CHECK(blocks[i].start == next && blocks[i].start % kTile == 0);
      CHECK(blocks[i].count > 0 && blocks[i].count <= blocks.largest());
      next += blocks[i].count;
    }
    CHECK(next == channels);
  }
}
