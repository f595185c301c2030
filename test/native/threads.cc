// The thread pool runs every task once, gives each its own memory, and survives many small jobs.
#include <atomic>
#include <stdexcept>
#include <vector>

#include "check.h"
#include "executor.h"

using namespace densenet;

namespace {

/** What a task throws reaches the caller, and the pool goes on working. */
void testExceptions(int threads) {
  ThreadPool pool(threads);
  for (int repeat = 0; repeat < 20; ++repeat) {
    bool caught = false;
    try {
      pool.forEach(8, [](int task, Scratch&) {
        if (task == 5) throw std::runtime_error("task 5");
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught);
    std::atomic<int> calls{0};
    pool.forEach(8, [&](int, Scratch&) { ++calls; });
    CHECK(calls == 8);
  }
}

}  // namespace

void testThreads() {
  testExceptions(1);
  testExceptions(3);
  for (int threads : {1, 2, 3, 7, 64}) {
    ThreadPool pool(threads);
    const int repeats = threads > 7 ? 5 : 50;
    for (int count : {0, 1, 2, 5, 64}) {
      for (int repeat = 0; repeat < repeats; ++repeat) {
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
