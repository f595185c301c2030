#include "executor.h"

#include <utility>

namespace densenet {

namespace {

constexpr size_t kAlignment = 16;  // floats
constexpr size_t kFirstBlock = size_t{1} << 19;  // a huge page
constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

float* Scratch::take(size_t size) {
  size = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || used_ + size > blocks_.back().size()) {
    Buffer block;
    block.reserve(size > kFirstBlock ? size : kFirstBlock);
    total_ += block.size();
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  float* taken = blocks_.back().data() + used_;
  used_ += size;
  return taken;
}

void Scratch::reset() {
  if (blocks_.size() > 1) {
    blocks_.clear();
    Buffer block;
    block.reserve(total_);
    total_ = block.size();
    blocks_.push_back(std::move(block));
  }
  used_ = 0;
}

void SerialExecutor::forEach(int count, const Task& run) {
  for (int task = 0; task < count; ++task) {
    scratch_.reset();
    run(task, scratch_);
  }
}

ThreadPool::ThreadPool(int threads) : scratch_(static_cast<size_t>(threads)) {
  try {
    for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { serve(worker); });
  } catch (...) {  // the system has no more threads
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard<std::mutex> lock(sleep_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::forEach(int count, const Task& run) {
  run_ = &run;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  if (workers_.empty() || count == 1) {
    work(0);
    rethrow();
    return;
  }
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  {
    const std::lock_guard<std::mutex> lock(sleep_);
    job_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  work(0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < kSpins)
      pause();
    else
      std::this_thread::yield();
  }
  rethrow();
}

void ThreadPool::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work(int worker) {
  Scratch& scratch = scratch_[static_cast<size_t>(worker)];
  for (int task; (task = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
    try {
      scratch.reset();
      (*run_)(task, scratch);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(sleep_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
}

bool ThreadPool::waitForJob(unsigned seen) {
  for (int spins = 0; spins < kSpins; ++spins) {
    if (job_.load(std::memory_order_acquire) != seen) return true;
    if (stop_.load(std::memory_order_relaxed)) return false;
    pause();
  }
  std::unique_lock<std::mutex> lock(sleep_);
  wake_.wait(lock, [&] { return stop_ || job_.load(std::memory_order_acquire) != seen; });
  return !stop_;
}

void ThreadPool::serve(int worker) {
  for (unsigned seen = 0; waitForJob(seen);) {
    ++seen;
    work(worker);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace densenet
