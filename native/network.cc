#include "network.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/products.h"

namespace densenet {

namespace {

constexpr int kForward = 0, kBackward = 1, kPrepare = 2, kPasses = 3;
const char* const kPassNames[kPasses] = {"forward", "backward", "prepare"};

/** Images that one thread takes through the whole network at a time in prediction: about so many pixels. */
constexpr int kPredictedPixels = 1024;

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Network::Network(const NetworkDescription& description, bool memoryEfficient)
    : description_(description), memoryEfficient_(memoryEfficient) {
  build();
  parameters_.allocate();
}

int Network::addMap(int channels, int height, int width, Use use, bool bottleneck) {
  maps_.push_back({FeatureMap(channels, height, width), bottleneck, use});
  return static_cast<int>(maps_.size()) - 1;
}

void Network::addLayer(const std::string& stage, std::unique_ptr<Layer> layer, Use use, Layer* again) {
  for (int pass = 0; pass < kPasses; ++pass)
    profile_.push_back({stage, std::string(layer->name()) + " " + kPassNames[pass], 0, 0});
  steps_.push_back({stage, std::move(layer), use, again});
}

/** Attaches buffers for `images` images to every map. Gradients of neighbouring stages never share one. */
void Network::resize(Memory& memory, int images, bool training) const {
  if (memory.activations.maps.empty()) {
    for (const MapUse& use : maps_) memory.activations.maps.push_back(use.shape);
    memory.data.resize(maps_.size());
  }
  if (memory.images == images) return;
  memory.images = 0;  // until all is attached
  size_t shared = 0, sharedGradient = 0, gradients[2] = {0, 0}, stage = 0;
  std::vector<FeatureMap>& maps = memory.activations.maps;
  for (size_t i = 0; i < maps.size(); ++i) {
    maps[i].resize(images);
    if (!maps_[i].in(training)) continue;
    const size_t floats = maps[i].floats();
    if (!maps_[i].bottleneck) {
      gradients[stage % 2] = std::max(gradients[stage % 2], floats);
      ++stage;
    } else {
      sharedGradient = std::max(sharedGradient, floats);
    }
    if (maps_[i].bottleneck && (memoryEfficient_ || !training))
      shared = std::max(shared, floats);
    else
      memory.data[i].reserve(floats);
  }
  memory.shared.reserve(shared);
  if (training) {
    memory.sharedGradient.reserve(sharedGradient);
    for (int parity = 0; parity < 2; ++parity) memory.gradients[parity].reserve(gradients[parity]);
  }
  stage = 0;
  for (size_t i = 0; i < maps.size(); ++i) {
    if (!maps_[i].in(training)) continue;
    const bool bottleneck = maps_[i].bottleneck;
    maps[i].data = bottleneck && (memoryEfficient_ || !training) ? memory.shared.data() : memory.data[i].data();
    maps[i].gradient = bottleneck ? memory.sharedGradient.data() : memory.gradients[stage % 2].data();
    if (!bottleneck) ++stage;
  }
  memory.images = images;
}

StepResult Network::train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                          const Optimizer& optimizer, const std::vector<Key>& dropout) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  const Split parts{count, static_cast<int>(dropout.size())};
  const int imageSize = description_.channels * description_.height * description_.width;
  Activations& activations = training_.activations;
  activations.stepImages = count;
  StepResult result{0, 0};
  for (int part = 0; part < parts.count; ++part) {
    activations.images = images + static_cast<size_t>(parts.start(part)) * imageSize;
    activations.labels = labels + parts.start(part);
    parameters_.addGradients(part > 0);
    forwardAndBackward(pool, parts.size(part), dropout[static_cast<size_t>(part)], part == 0);
    result.loss += activations.loss;
    result.correct += activations.correct;
  }
  constexpr int kParts = 64;
  pool.forEach(kParts, [&](int part, Scratch&) { parameters_.update(optimizer, part, kParts); });
  prepared_ = false;
  return result;
}

/** One micro-batch of the step under way. The weights are laid out for its first one alone: they stay the same. */
void Network::forwardAndBackward(ThreadPool& pool, int count, Key dropout, bool prepare) {
  resize(training_, count, true);
  Activations& activations = training_.activations;
  for (FeatureMap& map : activations.maps) map.clearDeferred();
  Pass pass{pool, activations, true, dropout};
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].in(true)) continue;
    const Clock::time_point start = Clock::now();
    if (prepare) steps_[i].layer->prepare(pool, true);
    record(i, kPrepare, secondsSince(start), 0);
    const Clock::time_point begin = Clock::now();
    steps_[i].layer->forward(pass);
    record(i, kForward, secondsSince(begin), count);
  }
  for (size_t i = steps_.size(); i-- > 0;) {
    if (!steps_[i].in(true)) continue;
    const Clock::time_point start = Clock::now();
    if (memoryEfficient_ && steps_[i].again != nullptr) {
      Pass again = pass;
      again.again = true;
      steps_[i].again->forward(again);
    }
    steps_[i].layer->backward(pass);
    record(i, kBackward, secondsSince(start), 2 * count);
  }
}

void Network::predict(ThreadPool& pool, const float* images, int count, float* logits) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  if (!prepared_)
    for (Step& step : steps_)
      if (step.in(false)) step.layer->prepare(pool, false);
  prepared_ = true;
  const int pixels = description_.height * description_.width;
  const int group = std::max(1, kPredictedPixels / pixels), groups = (count + group - 1) / group;
  std::vector<Memory*> idle;
  std::mutex mutex;
  for (const std::unique_ptr<Memory>& memory : predicting_) idle.push_back(memory.get());
  pool.forEach(groups, [&](int task, Scratch&) {
    Memory* memory;
    {
      const std::lock_guard<std::mutex> guard(mutex);
      if (idle.empty()) {
        predicting_.push_back(std::make_unique<Memory>());
        idle.push_back(predicting_.back().get());
      }
      memory = idle.back();
      idle.pop_back();
    }
    const int first = task * group, size = std::min(group, count - first);
    resize(*memory, size, false);
    Activations& activations = memory->activations;
    activations.images = images + static_cast<size_t>(first) * description_.channels * pixels;
    SerialExecutor executor;
    const Pass pass{executor, activations, false, Key{}};
    for (Step& step : steps_)
      if (step.in(false)) step.layer->forward(pass);
    std::memcpy(logits + static_cast<size_t>(first) * description_.classes, activations.logits.data(),
                activations.logits.size() * sizeof(float));
    const std::lock_guard<std::mutex> guard(mutex);
    idle.push_back(memory);
  });
}

void Network::record(size_t step, int pass, double seconds, double images) {
  ProfileEntry& entry = profile_[step * kPasses + pass];
  entry.seconds += seconds;
  entry.operations += 2 * images * steps_[step].layer->multiplyAdds();
}

std::vector<ProfileEntry> Network::takeProfile() {
  std::vector<ProfileEntry> merged;
  for (ProfileEntry& entry : profile_) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const ProfileEntry& other) {
      return other.stage == entry.stage && other.pass == entry.pass;
    });
    if (same == merged.end()) {
      merged.push_back(entry);
    } else {
      same->seconds += entry.seconds;
      same->operations += entry.operations;
    }
    entry.seconds = entry.operations = 0;
  }
  return merged;
}

}  // namespace densenet
