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

Network::Network(const NetworkDescription& description, NetworkOptions options)
    : description_(description), options_(options) {
  build();
  parameters_.allocate();
}

int Network::addMap(int channels, int height, int width, Place place, Use use) {
  maps_.push_back({FeatureMap(channels, height, width), place, use});
  return static_cast<int>(maps_.size()) - 1;
}

int Network::addMap(int channels, int height, int width, Use use) {
  if (use != Use::kEvaluation) trunk_ ^= 1;
  return addMap(channels, height, width, {kOwn, kTrunk + trunk_}, use);
}

void Network::addLayer(const std::string& stage, std::unique_ptr<Layer> layer, Use use, Layer* again, int unit) {
  for (int pass = 0; pass < kPasses; ++pass)
    profile_.push_back({stage, std::string(layer->name()) + " " + kPassNames[pass], 0, 0});
  steps_.push_back({stage, std::move(layer), use, again, unit, false});
}

/** The slot of a map's data, or kOwn. */
int Network::slotOf(const MapUse& use, bool training) const {
  const Keep keep = use.place.keep;
  const bool kept = keep == Keep::kAlways || (keep == Keep::kUnlessEfficient && !options_.memoryEfficient);
  return training && kept ? kOwn : use.place.data;
}

/** Attaches buffers for `images` images to every map. */
void Network::resize(Memory& memory, int images, bool training) const {
  Activations& activations = memory.activations;
  std::vector<FeatureMap>& maps = activations.maps;
  if (maps.empty()) {
    for (const MapUse& use : maps_) {
      activations.places.push_back(static_cast<int>(maps.size()));
      maps.push_back(use.shape);
    }
    memory.data.resize(maps_.size());
  }
  if (memory.images == images) return;
  memory.images = 0;  // until all is attached
  for (size_t i = 0; i < maps.size(); ++i) {
    maps[i].resize(images);
    if (!maps_[i].in(training)) continue;
    const int slot = slotOf(maps_[i], training);
    (slot == kOwn ? memory.data[i] : memory.slots[slot]).reserve(maps[i].floats());
    if (training) memory.gradients[maps_[i].place.gradient].reserve(maps[i].floats());
  }
  for (size_t i = 0; i < maps.size(); ++i) {
    if (!maps_[i].in(training)) continue;
    const int slot = slotOf(maps_[i], training);
    maps[i].data = (slot == kOwn ? memory.data[i] : memory.slots[slot]).data();
    maps[i].clearTail();
    if (training) maps[i].gradient = memory.gradients[maps_[i].place.gradient].data();
  }
  memory.images = images;
}

/** The outputs of identity units without their branch are their inputs; the gradients of dropped branches are 0. */
void Network::dropBranches(const std::vector<uint8_t>& survivors) {
  std::vector<int>& places = training_.activations.places;
  training_.activations.survivors = survivors;
  for (size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = units_[i];
    const bool dropped = !training_.activations.survives(static_cast<int>(i));
    places[unit.output] = unit.identity && dropped ? places[unit.input] : unit.output;
    if (dropped) parameters_.putZeros(unit.begin, unit.end);
  }
}

StepResult Network::train(ThreadPool& pool, const float* images, const int32_t* labels, int count,
                          const Optimizer& optimizer, const std::vector<MicroBatch>& batches) {
  const std::lock_guard<std::mutex> lock(pool.mutex());
  const Split parts{count, static_cast<int>(batches.size())};
  const int imageSize = description_.channels * description_.height * description_.width;
  Activations& activations = training_.activations;
  activations.stepImages = count;
  for (Step& step : steps_) step.prepared = false;
  StepResult result{0, 0};
  for (int part = 0; part < parts.count; ++part) {
    activations.images = images + static_cast<size_t>(parts.start(part)) * imageSize;
    activations.labels = labels + parts.start(part);
    parameters_.addGradients(part > 0);
    forwardAndBackward(pool, parts.size(part), batches[static_cast<size_t>(part)]);
    result.loss += activations.loss;
    result.correct += activations.correct;
  }
  constexpr int kParts = 64;
  pool.forEach(kParts, [&](int part, Scratch&) { parameters_.update(optimizer, part, kParts); });
  prepared_ = false;
  return result;
}

/**
 * One micro-batch of the step under way. The weights are laid out for the first that needs them: they stay the same.
 */
void Network::forwardAndBackward(ThreadPool& pool, int count, const MicroBatch& batch) {
  resize(training_, count, true);
  dropBranches(batch.survivors);
  Activations& activations = training_.activations;
  for (FeatureMap& map : activations.maps) map.clearDeferred();
  Pass pass{pool, activations, true, batch.dropout};
  const auto takesPart = [&](const Step& step) { return step.in(true) && activations.survives(step.unit); };
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!takesPart(steps_[i])) continue;
    const Clock::time_point start = Clock::now();
    if (!steps_[i].prepared) steps_[i].layer->prepare(pool, true);
    steps_[i].prepared = true;
    record(i, kPrepare, secondsSince(start), 0);
    const Clock::time_point begin = Clock::now();
    steps_[i].layer->forward(pass);
    record(i, kForward, secondsSince(begin), count);
  }
  for (size_t i = steps_.size(); i-- > 0;) {
    if (!takesPart(steps_[i])) continue;
    const Clock::time_point start = Clock::now();
    if (options_.memoryEfficient && steps_[i].again != nullptr) {
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
    const Pass pass{memory->executor, activations, false, Key{}};
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
