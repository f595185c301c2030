// The thread pool runs every task once, gives each its own memory, and survives many small jobs.
#include <atomic>
#include <vector>

#include "check.h"
#include "executor.h"

using namespace densenet;

void testThreads() {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (int count : {0, 1, 2, 5, 64}) {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
        std::atomic<int> wrong{0};
        pool.forEach(count, [&](int task, Scratch& scratch) {
          float* small = scratch.take(10);
          float* large = scratch.take(3'000'000);
          small[9] = large[2'999'999] = static_cast<float>(task);
          if (small[9] != static_cast<float>(task)) ++wrong;
          ++calls[task];
        });
        for (const std::atomic<int>& call : calls) CHECK(call == 1);
        CHECK(wrong == 0);
      }
    }
  }
}
