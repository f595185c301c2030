#include "network.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/products.h"

namespace densenet {

namespace {

constexpr int kForward = 0, kBackward = 1, kPrepare = 2, kPasses = 3;
const char* const kPassNames[kPasses] = {"forward", "backward", "prepare"};

/** Images that are taken through the whole network at a time in prediction: about so many pixels. */
constexpr int kPredictedPixels = 1024;

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Network::Network(NetworkPlan plan) : plan_(std::move(plan)) {
  for (const PlannedLayer& planned : plan_.layers)
    for (const char* pass : kPassNames)
      profile_.push_back({planned.stage, std::string(planned.layer->name()) + " " + pass, 0, 0});
}

/** Attaches buffers for `images` images to every map. */
void Network::resize(Memory& memory, int images, bool training) const {
  Activations& activations = memory.activations;
  std::vector<FeatureMap>& maps = activations.maps;
  if (maps.empty()) {
    for (const PlannedMap& planned : plan_.maps) {
      activations.places.push_back(static_cast<int>(maps.size()));
      maps.push_back(planned.shape);
    }
    memory.data.resize(maps.size());
  }
  if (memory.images == images) return;
  memory.images = 0;  // until all is attached
  for (size_t i = 0; i < maps.size(); ++i) {
    maps[i].resize(images);
    if (!takesPart(plan_.maps[i].use, training)) continue;
    const Place& place = plan_.maps[i].place;
    const int slot = place.dataSlot(training);
    (slot == kOwn ? memory.data[i] : memory.slots[slot]).reserve(maps[i].floats());
    if (training) memory.gradients[place.gradient].reserve(maps[i].floats());
  }
  for (size_t i = 0; i < maps.size(); ++i) {
    if (!takesPart(plan_.maps[i].use, training)) continue;
    const Place& place = plan_.maps[i].place;
    const int slot = place.dataSlot(training);
    maps[i].data = (slot == kOwn ? memory.data[i] : memory.slots[slot]).data();
    maps[i].clearTail();
    if (training) maps[i].gradient = memory.gradients[place.gradient].data();
  }
  memory.images = images;
}

/** The outputs of identity units without their branch are their inputs; the gradients of dropped branches are 0. */
void Network::dropBranches(const std::vector<uint8_t>& survivors) {
  std::vector<int>& places = training_.activations.places;
  training_.activations.survivors = survivors;
  for (size_t i = 0; i < plan_.units.size(); ++i) {
    const ResidualUnit& unit = plan_.units[i];
    const bool dropped = !training_.activations.survives(static_cast<int>(i));
    places[unit.output] = unit.identity && dropped ? places[unit.input] : unit.output;
    if (dropped) parameters().putZeros(unit.begin, unit.end);
  }
}

StepResult Network::train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                          const Optimizer& optimizer, const std::vector<MicroBatch>& batches) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  const Split parts{count, static_cast<int>(batches.size())};
  const int imageSize = description().channels * description().height * description().width;
  Activations& activations = training_.activations;
  activations.stepImages = count;
  prepared_.assign(plan_.layers.size(), false);
  StepResult result{0, 0};
  for (int part = 0; part < parts.count; ++part) {
    activations.images = images + static_cast<size_t>(parts.start(part)) * imageSize;
    activations.labels = labels + parts.start(part);
    parameters().addGradients(part > 0);
    const MicroBatch& batch = batches[static_cast<size_t>(part)];
    forwardAndBackward(pool, parts.size(part), batch);
    moveRunning(parameters().moves(), batch.survivors);
    result.loss += activations.loss;
    result.correct += activations.correct;
  }
  update(pool, optimizer);
  return result;
}

StepResult Network::gradient(ThreadPool& pool, const float* images, const int32_t* labels, int count, int stepImages,
                             const MicroBatch& batch) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  Activations& activations = training_.activations;
  activations.images = images;
  activations.labels = labels;
  activations.stepImages = stepImages;
  prepared_.assign(plan_.layers.size(), false);
  parameters().addGradients(false);
  forwardAndBackward(pool, count, batch);
  return {activations.loss, activations.correct};
}

void Network::apply(ThreadPool& pool, const Optimizer& optimizer, const float* gradient, const double* moves,
                    const std::vector<MicroBatch>& batches) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  parameters().writeGradient(gradient);
  for (const MicroBatch& batch : batches) {
    moveRunning(moves, batch.survivors);
    moves += parameters().statisticsSize();
  }
  update(pool, optimizer);
}

/** The running statistics of dropped branches stay. */
void Network::moveRunning(const double* moves, const std::vector<uint8_t>& survivors) {
  size_t begin = 0;
  for (size_t i = 0; i < survivors.size(); ++i) {
    if (survivors[i] != 0) continue;
    parameters().moveRunning(moves, begin, plan_.units[i].begin);
    begin = plan_.units[i].end;
  }
  parameters().moveRunning(moves, begin, parameters().size());
}

void Network::update(ThreadPool& pool, const Optimizer& optimizer) {
  constexpr int kParts = 64;
  pool.forEach(kParts, [&](int part, Scratch&) { parameters().update(optimizer, part, kParts); });
  predictionPrepared_ = false;
}

/**
 * One micro-batch of the step under way. What weights layers keep laid out, they lay out for the first that needs them.
 */
void Network::forwardAndBackward(ThreadPool& pool, int count, const MicroBatch& batch) {
  resize(training_, count, true);
  dropBranches(batch.survivors);
  Activations& activations = training_.activations;
  for (FeatureMap& map : activations.maps) map.clearDeferred();
  Pass pass{pool, activations, true, batch.dropout};
  const std::vector<PlannedLayer>& layers = plan_.layers;
  const auto runs = [&](const PlannedLayer& planned) {
    return takesPart(planned.use, true) && activations.survives(planned.unit);
  };
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!runs(layers[i])) continue;
    const Clock::time_point start = Clock::now();
    if (!prepared_[i]) layers[i].layer->prepare(pool, true);
    prepared_[i] = true;
    record(i, kPrepare, secondsSince(start), 0);
    const Clock::time_point begin = Clock::now();
    layers[i].layer->forward(pass);
    record(i, kForward, secondsSince(begin), count);
  }
  for (size_t i = layers.size(); i-- > 0;) {
    if (!runs(layers[i])) continue;
    const Clock::time_point start = Clock::now();
    if (layers[i].again != nullptr) {
      Pass again = pass;
      again.again = true;
      layers[i].again->forward(again);
    }
    layers[i].layer->backward(pass);
    record(i, kBackward, secondsSince(start), 2 * count);
  }
}

void Network::predict(ThreadPool& pool, const float* images, int count, float* logits) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  if (!predictionPrepared_)
    for (const PlannedLayer& planned : plan_.layers)
      if (takesPart(planned.use, false)) planned.layer->prepare(pool, false);
  predictionPrepared_ = true;
  const int pixels = description().height * description().width, classes = description().classes;
  const int group = std::max(1, kPredictedPixels / pixels), groups = (count + group - 1) / group;
  const auto run = [&](Executor& executor, Memory& memory, int first, int size) {
    resize(memory, size, false);
    Activations& activations = memory.activations;
    activations.images = images + static_cast<size_t>(first) * description().channels * pixels;
    const Pass pass{executor, activations, false, Key{}};
    for (const PlannedLayer& planned : plan_.layers)
      if (takesPart(planned.use, false)) planned.layer->forward(pass);
    std::memcpy(logits + static_cast<size_t>(first) * classes, activations.logits.data(),
                activations.logits.size() * sizeof(float));
  };
  std::vector<Memory*> idle;
  for (const std::unique_ptr<Memory>& memory : predicting_) idle.push_back(memory.get());
  const auto takeMemory = [&] {
    if (idle.empty()) {
      predicting_.push_back(std::make_unique<Memory>());
      idle.push_back(predicting_.back().get());
    }
    Memory* memory = idle.back();
    idle.pop_back();
    return memory;
  };
  if (groups == 1) {  // all threads share it, layer by layer
    run(pool, *takeMemory(), 0, count);
    return;
  }
  std::mutex mutex;
  pool.forEach(groups, [&](int task, Scratch&) {
    std::unique_lock<std::mutex> lock(mutex);
    Memory* memory = takeMemory();
    lock.unlock();
    const int first = task * group;
    run(memory->executor, *memory, first, std::min(group, count - first));
    lock.lock();
    idle.push_back(memory);
  });
}

void Network::record(size_t layer, int pass, double seconds, double images) {
  ProfileEntry& entry = profile_[layer * kPasses + pass];
  entry.seconds += seconds;
  entry.operations += 2 * images * plan_.layers[layer].layer->multiplyAdds();
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
