// Runs independent tasks on all threads. Which thread runs a task never changes a result.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "buffer.h"

namespace densenet {

/** Working memory of one thread: taken piece by piece during a task, given back as a whole before the next. */
class Scratch {
 public:
  /** `size` floats, aligned to 64 bytes, with unspecified contents. */
  float* take(size_t size);
  void reset();

 private:
  std::vector<Buffer> blocks_;
  size_t used_ = 0, total_ = 0;
};

using Task = std::function<void(int task, Scratch& scratch)>;

class Executor {
 public:
  virtual ~Executor() = default;
  /** Calls run(0 … count−1), in any order, and returns when all are done. Throws what a task threw first. */
  virtual void forEach(int count, const Task& run) = 0;
};

/** Runs tasks one after the other on the calling thread. */
class SerialExecutor : public Executor {
 public:
  void forEach(int count, const Task& run) override;

 private:
  Scratch scratch_;
};

/** A fixed set of threads, the calling one included. Idle threads spin for a moment, then sleep. */
class ThreadPool : public Executor {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool() override;
  void forEach(int count, const Task& run) override;
  int threads() const { return static_cast<int>(scratch_.size()); }
  /** Held by whoever uses the pool for a step, so that models can share it. */
  std::mutex& mutex() { return use_; }

 private:
  /** Ends the workers. */
  void stop();
  void serve(int worker);
  void work(int worker);
  void rethrow();
  bool waitForJob(unsigned seen);

  std::vector<Scratch> scratch_;
  std::vector<std::thread> workers_;
  std::mutex use_, sleep_;
  std::condition_variable wake_;
  const Task* run_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<unsigned> job_{0};
  std::atomic<bool> stop_{false};
  std::exception_ptr failure_;
};

}  // namespace densenet
