#include "training.h"

#include <cstring>
#include <vector>

#include "check.h"

using namespace densenet;

namespace {

float pseudo(size_t i) { return static_cast<float>(static_cast<int>(i * 2654435761u % 2001) - 1000) / 1000; }

void fill(Network& network) {
  Parameters& parameters = network.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) parameters.values(0)[i] = 0.6f + 0.4f * pseudo(i);
}

struct Data {
  std::vector<float> images;
  std::vector<int32_t> labels;
  Data(const NetworkDescription& network, int batch) {
    images.resize(static_cast<size_t>(batch) * network.channels * network.height * network.width);
    for (size_t i = 0; i < images.size(); ++i) images[i] = pseudo(i + 77);
    for (int i = 0; i < batch; ++i) labels.push_back(i % network.classes);
  }
};

/** Where a survival probability is below 1, every other unit is there, and each in every other step. */
std::vector<MicroBatch> draws(const NetworkDescription& network, uint32_t step, int parts) {
  std::vector<MicroBatch> batches;
  for (int part = 0; part < parts; ++part) {
    MicroBatch batch{{step, static_cast<uint32_t>(part)}, {}};
    for (const StageDescription& stage : network.stages)
      for (double survival : stage.survival)
        batch.survivors.push_back(survival == 1 || (batch.survivors.size() + step + part) % 2 == 0);
    batches.push_back(batch);
  }
  return batches;
}

std::vector<float> trained(const NetworkDescription& description, int batch, int parts, int threads,
                           NetworkOptions options) {
  Network network(NetworkBuilder(description, options).build());
  fill(network);
  const Data data(description, batch);
  ThreadPool pool(threads);
  for (uint32_t step = 0; step < 2; ++step) {
    const StepResult result = network.train(pool, data.images.data(), data.labels.data(), batch,
                                            {0.01f, 0.9f, 1e-4f, true}, draws(description, step, parts));
    CHECK(std::isfinite(result.loss) && result.loss > 0);
  }
  const size_t all = static_cast<size_t>(batch) * description.classes;
  std::vector<float> logits(all + description.classes);
  network.predict(pool, data.images.data(), batch, logits.data());
  network.predict(pool, data.images.data(), 1, logits.data() + all);  // shared by the threads
  const float* values = network.parameters().values(0);
  logits.insert(logits.end(), values, values + network.parameters().size());
  return logits;
}

/** All gradients at weights of both signs, one after the other. */
std::vector<float> gradients(const NetworkDescription& description, int batch, int parts, Precision precision) {
  const Data data(description, batch);
  ThreadPool pool(2);
  Network network(NetworkBuilder(description, {false, precision}).build());
  Parameters& parameters = network.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) parameters.values(0)[i] = pseudo(i);
  network.train(pool, data.images.data(), data.labels.data(), batch, {0, 0, 0, false}, draws(description, 3, parts));
  const float* gradient = parameters.gradients();
  return {gradient, gradient + parameters.size()};
}

}  // namespace

void testSameBits(const NetworkDescription& description, int batch, int parts, int most) {
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    const std::vector<float> one = trained(description, batch, parts, 1, {false, precision});
    for (const auto& [threads, memoryEfficient] : {std::pair{2, false}, std::pair{3, true}, std::pair{most, false}}) {
      const std::vector<float> other = trained(description, batch, parts, threads, {memoryEfficient, precision});
      CHECK(one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0);
    }
  }
}

void testGradient(const NetworkDescription& description, int batch, int parts) {
  const Data data(description, batch);
  ThreadPool pool(2);
  constexpr double kChange = 0.01;
  double losses[2];
  for (int side = 0; side < 2; ++side) {
    Network network(NetworkBuilder(description, {}).build());
    fill(network);
    const auto step = [&](double rate) {
      return network
          .train(pool, data.images.data(), data.labels.data(), batch, {static_cast<float>(rate), 0, 0, false},
                 draws(description, 3, parts))
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

/**
 * Rounding to bfloat16 changes an operand by at most 2⁻⁹ of itself, in no direction in particular. Batch normalisation
 * over few values, ReLU and max pooling enlarge that: these gradients turn by up to 9°.
 */
void testBfloat16Gradient(const NetworkDescription& description, int batch, int parts) {
  const std::vector<float> exact = gradients(description, batch, parts, Precision::kFloat32);
  const std::vector<float> rounded = gradients(description, batch, parts, Precision::kBfloat16);
  double product = 0, squares = 0, roundedSquares = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    product += static_cast<double>(exact[i]) * rounded[i];
    squares += std::pow(exact[i], 2);
    roundedSquares += std::pow(rounded[i], 2);
  }
  CHECK(product / std::sqrt(squares * roundedSquares) > 0.98);
  CHECK(close(squares, roundedSquares, 0.04));
  CHECK(squares != roundedSquares);
}
