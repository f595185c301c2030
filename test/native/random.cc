// The random numbers are those of src/util/random.ts, and dropout uses each for one element.
#include <vector>

#include "check.h"
#include "layers/dropout.h"

using namespace densenet;

void testRandom() {
  // key(7, 5, 3, 2) and bits(…, 0 … 2) of src/util/random.ts
  const Key key = extend(Key{470220449u, 4122945501u}, 2);
  CHECK(key.first == 1687233526u);
  CHECK(key.second == 4208737117u);
  const uint32_t expected[] = {2627453072u, 3093061644u, 3760661104u};
  for (uint32_t i = 0; i < 3; ++i) CHECK(bits(key, i) == expected[i]);

  const Dropout dropout(0.25, 2);
  constexpr int kCount = 4 * kTile + 3;
  std::vector<float> whole(kCount, 1.0f), parts(kCount, 1.0f);
  dropout.apply(Key{470220449u, 4122945501u}, whole.data(), kCount, 0);
  for (int i = 0; i < kCount; i += 5)
    dropout.apply(Key{470220449u, 4122945501u}, parts.data() + i, std::min(5, kCount - i), static_cast<uint32_t>(i));
  int dropped = 0;
  for (int i = 0; i < kCount; ++i) {
    CHECK(whole[i] == parts[i]);
    CHECK(whole[i] == 0 || close(whole[i], 4.0 / 3));
    if (whole[i] == 0) ++dropped;
  }
  CHECK(dropped > 0 && dropped < kCount / 2);
}
