#include "strips.h"

#include "rows.h"

namespace densenet {

namespace {

/** Tiles of a strip: their transformed channels stay in the second-level cache. */
constexpr int kStripTiles = 64;

}  // namespace

StripShape::StripShape(int height, int width)
    : height(height), width(width), tileRows((height + 1) / 2), tileColumns((width + 1) / 2) {
  const int imageTiles = tileRows * tileColumns;
  stripImages_ = std::max(1, kStripTiles / imageTiles);
  const Split rows = Split::into(tileRows, std::clamp(kStripTiles / tileColumns, 1, tileRows));
  stripRows_ = (tileRows + rows.count - 1) / rows.count;
  channelStride = stripImages_ * (roundUp(stripRows_ * tileColumns, kTile) / kTile) * kBlockFloats + 16;
  planes.stride = tileColumns;
  planes.size = roundUp(stripImages_ * (stripRows_ + 1) * tileColumns + 2 * kLanes, kLanes) + kLanes;
  reached_ = (stripImages_ - 1) * height * width + std::min(height, 2 * stripRows_ + 2) * width;
  reachFloats_ = roundUp(reached_, kTile) + 2 * kTile + 2 * kLanes;
  for (int x = 0; x < tileColumns; x += kLanes) {
    ColumnMasks masks;
    for (int i = 0; i < kLanes; ++i) {
      masks.first[i] = x + i > 0 ? -1 : 0;
      masks.third[i] = 2 * (x + i) + 1 < width ? -1 : 0;
      masks.fourth[i] = 2 * (x + i) + 2 < width ? -1 : 0;
    }
    masks_.push_back(masks);
  }
  for (int top = 0; top < 2; ++top)
    for (int i = 0; i < reached_; ++i) {
      const int image = i / (height * width), y = i / width % height, x = i % width;
      positions_.push_back((image * paddedRows() + y + top) * paddedColumns() + x + 1);
    }
}

PixelRun StripShape::pixels(const Strip& strip) const {
  const int top = 2 * strip.row, bottom = std::min(height, top + 2 * strip.rows);
  return {(int64_t{strip.image} * height + top) * width, ((strip.images - 1) * height + bottom - top) * width};
}

PixelRun StripShape::reach(const Strip& strip) const {
  return {(int64_t{strip.image} * height + top(strip)) * width,
          ((strip.images - 1) * height + bottom(strip) - top(strip)) * width};
}

template <bool kOwn>
void StripShape::rows(const Strip& strip, const float* pixels, float* to) const {
  const int first = top(strip), last = bottom(strip), above = 2 * strip.row - 1, below = above + 2 * strip.rows + 2;
  const int pixelsOfRow = width, columns = tileColumns, vectors = static_cast<int>(masks_.size());
  const ColumnMasks* masks = masks_.data();
  const ptrdiff_t size = planes.size;
  for (int i = 0; i < strip.images; ++i, to += (strip.rows + 1) * columns)
    for (int y = above; y < below; ++y) {
      float* row = to + (y - above) % 2 * RowPlanes::kPlanes * size + (y - above) / 2 * columns;
      if (y < first || y >= last) {
        clearRow<kOwn>(vectors, row, size);
        continue;
      }
      transformRow<kOwn>(pixels, masks, vectors, row, size);
      pixels += pixelsOfRow;
    }
}

template void StripShape::rows<false>(const Strip&, const float*, float*) const;
template void StripShape::rows<true>(const Strip&, const float*, float*) const;

/** Calls transform(planes, from, to) for each vector of a strip's tiles, from planes to blocks of tiles. */
template <class F>
DENSENET_INLINE void StripShape::forVectors(const Strip& strip, const float* from, float* to, F&& transform) const {
  const int count = tiles(strip), blocksOfImage = blocks(strip);
  const RowPlanes shape = planes;
  for (int i = 0; i < strip.images; ++i, from += count + shape.stride, to += blocksOfImage * kBlockFloats)
    for (int t = 0; t < count; t += kLanes) transform(shape, from + t, to + t / kTile * kBlockFloats + t % kTile);
}

void StripShape::windows(const Strip& strip, const float* from, float* to) const {
  forVectors(strip, from, to, [](const auto&... of) { transformColumns(of...); });
}

void StripShape::gradients(const Strip& strip, const float* from, float* to) const {
  forVectors(strip, from, to, [](const auto&... of) { transformGradients(of...); });
}

void StripShape::outputs(const Strip& strip, const float* from, float* working, float* to) const {
  const int count = tiles(strip), columns = tileColumns, pixelsOfRow = width;
  const ptrdiff_t size = planes.size, imagePixels = static_cast<ptrdiff_t>(height) * width;
  const ptrdiff_t imageFloats = static_cast<ptrdiff_t>(blocks(strip)) * kBlockFloats;
  for (int i = 0; i < strip.images; ++i, to += imagePixels, from += imageFloats) {
    for (int t = 0; t < count; t += kLanes)
      transformOutputs(from + t / kTile * kBlockFloats + t % kTile, working + t, size);
    float* row = to;  // each row overwrites what the one above wrote past its end
    for (int t = 0; t < count; t += columns)
      for (int side = 0; side < 4; side += 2, row += pixelsOfRow)
        interleave(working + side * size + t, working + (side + 1) * size + t, columns, row);
  }
}

}  // namespace densenet
