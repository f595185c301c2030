// Whole networks of many shapes: no bad access, the same bits for every number of threads, gradients that agree with
// differences of the loss.
#include <cstring>
#include <vector>

#include "check.h"
#include "network.h"

using namespace densenet;

namespace {

struct Shape {
  int channels, height, width, batch, growthRate, layers, blocks;
  bool bottleneck, imageNetStem;
  double dropout;
  /** Micro-batches of a step. */
  int parts = 1;
};

NetworkDescription describe(const Shape& shape) {
  NetworkDescription network{shape.channels, shape.height, shape.width, 5, {}};
  StageDescription first{};
  first.kind = StageDescription::kConvolution;
  first.outputChannels = 2 * shape.growthRate;
  first.kernel = shape.imageNetStem ? 7 : 3;
  first.stride = shape.imageNetStem ? 2 : 1;
  first.padding = shape.imageNetStem ? 3 : 1;
  first.normalized = shape.imageNetStem;
  network.stages.push_back(first);
  if (shape.imageNetStem) {
    StageDescription pooling{};
    pooling.kind = StageDescription::kMaxPooling;
    pooling.kernel = 3;
    pooling.stride = 2;
    pooling.padding = 1;
    network.stages.push_back(pooling);
  }
  int channels = first.outputChannels;
  for (int b = 0; b < shape.blocks; ++b) {
    if (b > 0) {
      StageDescription transition{};
      transition.kind = StageDescription::kTransition;
      transition.outputChannels = channels = channels / 2;
      transition.dropout = shape.dropout;
      network.stages.push_back(transition);
    }
    StageDescription block{};
    block.kind = StageDescription::kDenseBlock;
    block.layers = shape.layers;
    block.growthRate = shape.growthRate;
    block.bottleneck = shape.bottleneck;
    block.dropout = shape.dropout;
    network.stages.push_back(block);
    channels += shape.layers * shape.growthRate;
  }
  StageDescription classifier{};
  classifier.kind = StageDescription::kClassifier;
  network.stages.push_back(classifier);
  return network;
}

float pseudo(size_t i) { return static_cast<float>(static_cast<int>(i * 2654435761u % 2001) - 1000) / 1000; }

void fill(Network& network) {
  Parameters& parameters = network.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) parameters.values(0)[i] = 0.6f + 0.4f * pseudo(i);
}

struct Data {
  std::vector<float> images;
  std::vector<int32_t> labels;
  explicit Data(const Shape& shape) {
    images.resize(static_cast<size_t>(shape.batch) * shape.channels * shape.height * shape.width);
    for (size_t i = 0; i < images.size(); ++i) images[i] = pseudo(i + 77);
    for (int i = 0; i < shape.batch; ++i) labels.push_back(i % 5);
  }
};

std::vector<Key> keys(uint32_t step, int parts) {
  std::vector<Key> keys;
  for (int part = 0; part < parts; ++part) keys.push_back({step, static_cast<uint32_t>(part)});
  return keys;
}

std::vector<float> trained(const Shape& shape, int threads, bool memoryEfficient) {
  Network network(describe(shape), memoryEfficient);
  fill(network);
  const Data data(shape);
  ThreadPool pool(threads);
  for (uint32_t step = 0; step < 2; ++step) {
    const StepResult result = network.train(pool, data.images.data(), data.labels.data(), shape.batch,
                                            {0.01f, 0.9f, 1e-4f, true}, keys(step, shape.parts));
    CHECK(std::isfinite(result.loss) && result.loss > 0);
  }
  std::vector<float> logits(static_cast<size_t>(shape.batch) * 5);
  network.predict(pool, data.images.data(), shape.batch, logits.data());
  const float* values = network.parameters().values(0);
  logits.insert(logits.end(), values, values + network.parameters().size());
  return logits;
}

void testSameBits(const Shape& shape) {
  const std::vector<float> one = trained(shape, 1, false);
  for (const auto& [threads, memoryEfficient] : {std::pair{2, false}, std::pair{3, true}}) {
    const std::vector<float> other = trained(shape, threads, memoryEfficient);
    CHECK(one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0);
  }
}

/** A small step along the gradient changes the loss by the step's length times the gradient's. */
void testGradient(const Shape& shape) {
  const Data data(shape);
  ThreadPool pool(2);
  constexpr double kChange = 0.01;
  double losses[2];
  for (int side = 0; side < 2; ++side) {
    Network network(describe(shape), false);
    fill(network);
    const auto step = [&](double rate) {
      return network
          .train(pool, data.images.data(), data.labels.data(), shape.batch, {static_cast<float>(rate), 0, 0, false},
                 keys(3, shape.parts))
          .loss;
    };
    step(0);
    double squares = 0;
    for (size_t i = 0; i < network.parameters().size(); ++i)
      squares += std::pow(network.parameters().gradients()[i], 2);
    step((side == 0 ? kChange : -kChange) / squares);
    losses[side] = step(0);
  }
  CHECK(std::fabs(losses[1] - losses[0] - 2 * kChange) < 0.05 * 2 * kChange);
}

}  // namespace

void testNetworks() {
  const Shape shapes[] = {
      {3, 8, 8, 3, 4, 2, 2, true, false, 0},    {3, 32, 32, 2, 12, 2, 2, true, false, 0},
      {1, 7, 5, 5, 1, 1, 2, true, false, 0.3},  {3, 9, 11, 2, 5, 3, 2, false, false, 0.2},
      {1, 16, 16, 1, 12, 2, 1, false, false, 0}, {3, 37, 41, 2, 6, 2, 2, true, true, 0},
      {2, 4, 4, 1, 3, 1, 1, true, false, 0},    {3, 8, 8, 7, 4, 2, 2, true, false, 0.2, 3},
  };
  for (const Shape& shape : shapes) testSameBits(shape);
  testGradient(shapes[0]);
  testGradient(shapes[3]);
  testGradient(shapes[7]);
}
