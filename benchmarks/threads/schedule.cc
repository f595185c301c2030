// What more threads would bring: runs a training step on one thread, notes how long each task of each job took, and
// hands the tasks out again on paper, to as many threads as asked for, in the order in which the thread pool does.
// Computed, not measured: it takes every core to be as fast as the one that ran the step. See run.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "network.h"
#include "network_builder.h"

using namespace densenet;

namespace {

/** Processor time of this thread: what other programs take does not count. */
double seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/** Runs jobs on the calling thread and keeps the time of each of their tasks. */
class RecordingPool : public ThreadPool {
 public:
  RecordingPool() : ThreadPool(1) {}

  void clear() {
    jobs.clear();
    inJobs = 0;
  }

  void forEach(int count, const Task& run) override {
    jobs.emplace_back();
    const double begin = seconds();
    ThreadPool::forEach(count, [&](int task, Scratch& scratch) {
      const double start = seconds();
      run(task, scratch);
      jobs.back().push_back(seconds() - start);
    });
    inJobs += seconds() - begin;
  }

  std::vector<std::vector<double>> jobs;
  double inJobs = 0;
};

struct Step {
  std::vector<std::vector<double>> jobs;
  /** Between the jobs, on one thread whatever their number. */
  double serial;
};

/** The least time of every task over some steps, after one that warms up. */
Step measure(const NetworkDescription& description, int batch, int steps) {
  Network network(NetworkBuilder(description, {}).build());
  Parameters& parameters = network.parameters();
  for (size_t i = 0; i < parameters.size(); ++i)
    parameters.values(0)[i] = 0.5f + 0.0005f * static_cast<float>(i * 2654435761u % 1000);
  std::vector<float> images(static_cast<size_t>(batch) * description.channels * description.height * description.width);
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 2654435761u % 2001) / 1000 - 1;
  const std::vector<int32_t> labels(static_cast<size_t>(batch));
  Step least{{}, 1e9};
  RecordingPool pool;
  for (int step = 0; step <= steps; ++step) {
    pool.clear();
    const double start = seconds();
    network.train(pool, images.data(), labels.data(), batch, {1e-3f, 0.9f, 1e-4f, true}, {{{1, 1}, {}}});
    const double serial = seconds() - start - pool.inJobs;
    if (step == 0) continue;
    if (step == 1) least.jobs = pool.jobs;
    least.serial = std::min(least.serial, serial);
    for (size_t j = 0; j < pool.jobs.size(); ++j)
      for (size_t t = 0; t < pool.jobs[j].size(); ++t)
        least.jobs[j][t] = std::min(least.jobs[j][t], pool.jobs[j][t]);
  }
  return least;
}

/** Until the last of `threads` is done, each taking the next task when it is free. */
double makespan(const std::vector<double>& job, int threads) {
  std::vector<double> free(static_cast<size_t>(threads), 0.0);
  for (const double task : job) *std::min_element(free.begin(), free.end()) += task;
  return *std::max_element(free.begin(), free.end());
}

/**
 * Bytes that the blocks read and write in a step beyond the caches. A 1×1 convolution (a basic 3×3) reads its input
 * forward and again backward, and reads and writes that input's gradient; a bottleneck is written, read twice, and its
 * gradient written and read.
 */
double bytesMoved(const NetworkDescription& description, int batch, double pixels) {
  double floats = 0, channels = 0;
  for (const StageDescription& stage : description.stages) {
    if (stage.kind == StageDescription::kConvolution) channels = stage.outputChannels;
    if (stage.kind == StageDescription::kTransition) channels = stage.outputChannels, pixels /= 4;
    if (stage.kind != StageDescription::kDenseBlock) continue;
    for (int layer = 0; layer < stage.layers; ++layer, channels += stage.growthRate)
      floats += pixels * (4 * channels + (stage.bottleneck ? 5 * 4 * stage.growthRate : 0));
  }
  return 4 * batch * floats;
}

StageDescription stageOf(StageDescription::Kind kind) {
  StageDescription stage{};
  stage.kind = kind;
  return stage;
}

StageDescription convolution(int channels, int kernel, int stride) {
  StageDescription stage = stageOf(StageDescription::kConvolution);
  stage.outputChannels = channels;
  stage.kernel = kernel;
  stage.stride = stride;
  stage.padding = kernel / 2;
  return stage;
}

NetworkDescription bcNetwork(const std::vector<int>& layers, int growthRate, bool imagenet) {
  const int side = imagenet ? 224 : 32;
  NetworkDescription description{3, side, side, imagenet ? 1000 : 10, {}};
  int channels = 2 * growthRate;
  description.stages.push_back(convolution(channels, imagenet ? 7 : 3, imagenet ? 2 : 1));
  if (imagenet) {
    description.stages[0].normalized = true;
    StageDescription pooling = stageOf(StageDescription::kMaxPooling);
    pooling.kernel = 3;
    pooling.stride = 2;
    pooling.padding = 1;
    description.stages.push_back(pooling);
  }
  for (size_t b = 0; b < layers.size(); ++b) {
    StageDescription block = stageOf(StageDescription::kDenseBlock);
    block.layers = layers[b];
    block.growthRate = growthRate;
    block.bottleneck = true;
    description.stages.push_back(block);
    channels += layers[b] * growthRate;
    if (b + 1 == layers.size()) break;
    StageDescription transition = stageOf(StageDescription::kTransition);
    transition.outputChannels = channels /= 2;
    description.stages.push_back(transition);
  }
  StageDescription classifier = stageOf(StageDescription::kClassifier);
  classifier.normalized = true;
  description.stages.push_back(classifier);
  return description;
}

void report(const char* name, const NetworkDescription& description, int batch, double pixels, double barrier) {
  const Step step = measure(description, batch, 3);
  double work = 0;
  for (const std::vector<double>& job : step.jobs)
    for (const double task : job) work += task;
  const double gigabytes = bytesMoved(description, batch, pixels) / 1e9;
  std::printf("%s, batch %d: %.0f ms on one thread, of them %.1f between jobs; %zu jobs; %.1f GB moved\n", name, batch,
              1e3 * (work + step.serial), 1e3 * step.serial, step.jobs.size(), gigabytes);
  std::printf("  threads  speed-up     ms  serial  barriers  uneven  too few tasks   GB/s\n");
  for (const int threads : {2, 4, 8, 16, 32, 64}) {
    // A job with fewer tasks than threads leaves some idle whatever their sizes; the rest is their unevenness.
    double even = 0, few = 0, uneven = 0;
    int barriers = 0;
    for (const std::vector<double>& job : step.jobs) {
      double sum = 0;
      for (const double task : job) sum += task;
      const int busy = std::min<int>(threads, std::max<int>(1, static_cast<int>(job.size())));
      even += sum / threads;
      few += sum / busy - sum / threads;
      uneven += makespan(job, threads) - sum / busy;
      barriers += job.size() > 1;
    }
    const double waiting = barriers * barrier * threads, total = step.serial + waiting + even + few + uneven;
    std::printf("  %7d  %8.1f  %5.0f  %5.1f%%  %7.1f%%  %5.1f%%  %12.1f%%  %5.0f\n", threads,
                (work + step.serial) / total, 1e3 * total, 100 * step.serial / total, 100 * waiting / total,
                100 * uneven / total, 100 * few / total, gigabytes / total);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double barrier = 1e-9 * (argc > 1 ? std::atof(argv[1]) : 200);
  report("BC L=100 k=12", bcNetwork({16, 16, 16}, 12, false), 64, 32 * 32, barrier);
  report("BC L=40 k=12", bcNetwork({6, 6, 6}, 12, false), 64, 32 * 32, barrier);
  report("DenseNet-121", bcNetwork({6, 12, 24, 16}, 32, true), 8, 56 * 56, barrier);
}
