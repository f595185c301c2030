// Node-API bindings, and nothing else: they unpack arguments, move the work off the main thread, and pack results.
#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "kernels/operands.h"
#include "network.h"
#include "network_builder.h"
#include "node_binding.h"
#include "peak.h"

namespace {

using namespace densenet::binding;
using densenet::Network;
using densenet::ThreadPool;

struct Model {
  Model(const densenet::NetworkDescription& description, densenet::NetworkOptions options,
        std::shared_ptr<ThreadPool> threads)
      : network(densenet::NetworkBuilder(description, options).build()), pool(std::move(threads)) {}
  Network network;
  std::shared_ptr<ThreadPool> pool;
};

using PoolHandle = std::shared_ptr<ThreadPool>;
using ModelHandle = std::shared_ptr<Model>;

/** createPool(threads) → pool */
napi_value createPool(napi_env env, napi_callback_info info) {
  try {
    return external(env, PoolHandle(std::make_shared<ThreadPool>(Arguments(env, info).integer(0))));
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

/** createModel(pool, description: Float64Array, memoryEfficient, bfloat16) → model */
napi_value createModel(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  try {
    size_t count = 0;
    const double* numbers = arguments.array<double>(1, &count);
    const auto precision = arguments.boolean(3) ? densenet::Precision::kBfloat16 : densenet::Precision::kFloat32;
    const densenet::NetworkOptions options{arguments.boolean(2), precision};
    return external(env, ModelHandle(std::make_shared<Model>(densenet::parseDescription(numbers, count), options,
                                                             arguments.handle<PoolHandle>(0))));
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

/** parameterCount(model) → number of floats of all tensors */
napi_value parameterCount(napi_env env, napi_callback_info info) {
  return number(env, static_cast<double>(Arguments(env, info).handle<ModelHandle>(0)->network.parameters().size()));
}

/** The numbers as `train` gets them. */
densenet::Optimizer optimizerOf(const double* o) {
  return {static_cast<float>(o[0]), static_cast<float>(o[1]), static_cast<float>(o[2]), o[3] != 0};
}

/** From keys, [micro-batches, 2], and the argument behind them, survivors, [micro-batches, residual units or 0]. */
std::vector<densenet::MicroBatch> microBatches(const Arguments& arguments, int first) {
  size_t words = 0, units = 0;
  const uint32_t* key = arguments.array<uint32_t>(first, &words);
  const uint8_t* survivors = arguments.array<uint8_t>(first + 1, &units);
  const size_t parts = words / 2;
  std::vector<densenet::MicroBatch> draws;
  for (size_t i = 0; i < parts; ++i)
    draws.push_back({{key[2 * i], key[2 * i + 1]},
                     {survivors + i * (units / parts), survivors + (i + 1) * (units / parts)}});
  return draws;
}

napi_value stepResult(napi_env env, const densenet::StepResult& step) {
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "loss", number(env, step.loss));
  napi_set_named_property(env, result, "correct", number(env, step.correct));
  return result;
}

/**
 * train(model, images: Float32Array, labels: Int32Array, optimizer: Float64Array [learning rate, momentum, weight
 * decay, nesterov], keys: Uint32Array [micro-batches, 2], survivors: Uint8Array [micro-batches, residual units or 0])
 * → Promise<{ loss, correct }>
 */
napi_value train(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const ModelHandle model = arguments.handle<ModelHandle>(0);
  const float* images = arguments.array<float>(1);
  size_t count = 0;
  const int32_t* labels = arguments.array<int32_t>(2, &count);
  const densenet::Optimizer optimizer = optimizerOf(arguments.array<double>(3));
  const std::vector<densenet::MicroBatch> draws = microBatches(arguments, 4);
  const auto step = std::make_shared<densenet::StepResult>();
  return start(
      env,
      [=] { *step = model->network.train(*model->pool, images, labels, static_cast<int>(count), optimizer, draws); },
      [step](napi_env env) { return stepResult(env, *step); }, {arguments.value(1), arguments.value(2)});
}

/** contributionSize(model) → [trainable parameters, running statistics] */
napi_value contributionSize(napi_env env, napi_callback_info info) {
  const densenet::Parameters& parameters = Arguments(env, info).handle<ModelHandle>(0)->network.parameters();
  const size_t sizes[] = {parameters.trainableSize(), parameters.statisticsSize()};
  napi_value list;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < 2; ++i) napi_set_element(env, list, i, number(env, static_cast<double>(sizes[i])));
  return list;
}

/**
 * gradient(model, images: Float32Array, labels: Int32Array, stepImages, key: Uint32Array [2], survivors: Uint8Array,
 * gradient: Float32Array, moves: Float64Array) → Promise<{ loss, correct }>, fills gradient and moves
 */
napi_value gradient(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const ModelHandle model = arguments.handle<ModelHandle>(0);
  const float* images = arguments.array<float>(1);
  size_t count = 0;
  const int32_t* labels = arguments.array<int32_t>(2, &count);
  const int stepImages = arguments.integer(3);
  const densenet::MicroBatch draw = microBatches(arguments, 4).front();
  float* gradient = arguments.array<float>(6);
  double* moves = arguments.array<double>(7);
  const auto step = std::make_shared<densenet::StepResult>();
  return start(
      env,
      [=] {
        Network& network = model->network;
        *step = network.gradient(*model->pool, images, labels, static_cast<int>(count), stepImages, draw);
        const densenet::Parameters& parameters = network.parameters();
        parameters.readGradient(gradient);
        std::copy(parameters.moves(), parameters.moves() + parameters.statisticsSize(), moves);
      },
      [step](napi_env env) { return stepResult(env, *step); },
      {arguments.value(1), arguments.value(2), arguments.value(6), arguments.value(7)});
}

/**
 * apply(model, optimizer: Float64Array, gradient: Float32Array, moves: Float64Array [micro-batches, statistics], keys,
 * survivors) → Promise<void>
 */
napi_value apply(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const ModelHandle model = arguments.handle<ModelHandle>(0);
  const densenet::Optimizer optimizer = optimizerOf(arguments.array<double>(1));
  const float* gradient = arguments.array<float>(2);
  const double* moves = arguments.array<double>(3);
  const std::vector<densenet::MicroBatch> draws = microBatches(arguments, 4);
  return start(
      env, [=] { model->network.apply(*model->pool, optimizer, gradient, moves, draws); }, nothing,
      {arguments.value(2), arguments.value(3)});
}

/** predict(model, images: Float32Array, logits: Float32Array [N, classes]) → Promise<void>, fills logits */
napi_value predict(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const ModelHandle model = arguments.handle<ModelHandle>(0);
  const float* images = arguments.array<float>(1);
  size_t floats = 0;
  float* logits = arguments.array<float>(2, &floats);
  const int count = static_cast<int>(floats / static_cast<size_t>(model->network.description().classes));
  return start(
      env, [=] { model->network.predict(*model->pool, images, count, logits); }, nothing,
      {arguments.value(1), arguments.value(2)});
}

napi_value copyState(napi_env env, napi_callback_info info, bool in) {
  const Arguments arguments(env, info);
  Network& network = arguments.handle<ModelHandle>(0)->network;
  densenet::Parameters& parameters = network.parameters();
  const size_t size = parameters.size();
  float *values = arguments.array<float>(1), *momentum = arguments.array<float>(2);
  for (size_t i = 0; i < size; ++i) {
    if (in) {
      parameters.values(0)[i] = values[i];
      parameters.momentum(0)[i] = momentum[i];
    } else {
      values[i] = parameters.values(0)[i];
      momentum[i] = parameters.momentum(0)[i];
    }
  }
  if (in) network.parametersChanged();
  return nullptr;
}

/** readState(model, values: Float32Array, momentum: Float32Array), fills both */
napi_value readState(napi_env env, napi_callback_info info) { return copyState(env, info, false); }

/** writeState(model, values: Float32Array, momentum: Float32Array) */
napi_value writeState(napi_env env, napi_callback_info info) { return copyState(env, info, true); }

/** takeProfile(model) → [stage, pass, seconds, operations][], since the last call */
napi_value takeProfile(napi_env env, napi_callback_info info) {
  const std::vector<densenet::ProfileEntry> entries =
      Arguments(env, info).handle<ModelHandle>(0)->network.takeProfile();
  napi_value list;
  napi_create_array(env, &list);
  for (size_t i = 0; i < entries.size(); ++i) {
    const napi_value fields[] = {text(env, entries[i].stage), text(env, entries[i].pass),
                                 number(env, entries[i].seconds), number(env, entries[i].operations)};
    napi_value entry;
    napi_create_array(env, &entry);
    for (uint32_t field = 0; field < 4; ++field) napi_set_element(env, entry, field, fields[field]);
    napi_set_element(env, list, static_cast<uint32_t>(i), entry);
  }
  return list;
}

/** release(handle): lets go of a pool or model now; what still runs keeps what it needs. */
template <class T>
napi_value release(napi_env env, napi_callback_info info) {
  Arguments(env, info).handle<T>(0).reset();
  return nullptr;
}

/** measurePeak(threads) → Promise<FLOP/s> */
napi_value measurePeak(napi_env env, napi_callback_info info) {
  const int threads = Arguments(env, info).integer(0);
  const auto peak = std::make_shared<double>();
  return start(
      env, [=] { *peak = densenet::measurePeak(threads); }, [peak](napi_env env) { return number(env, *peak); });
}

}  // namespace

NAPI_MODULE_INIT() {
  define(env, exports, "createPool", createPool);
  define(env, exports, "createModel", createModel);
  define(env, exports, "parameterCount", parameterCount);
  define(env, exports, "train", train);
  define(env, exports, "contributionSize", contributionSize);
  define(env, exports, "gradient", gradient);
  define(env, exports, "apply", apply);
  define(env, exports, "predict", predict);
  define(env, exports, "readState", readState);
  define(env, exports, "writeState", writeState);
  define(env, exports, "takeProfile", takeProfile);
  define(env, exports, "releasePool", release<PoolHandle>);
  define(env, exports, "releaseModel", release<ModelHandle>);
  define(env, exports, "measurePeak", measurePeak);
  napi_set_named_property(env, exports, "instructions", text(env, densenet::kInstructions));
  napi_value bfloat16;
  napi_get_boolean(env, densenet::kBfloat16Instructions, &bfloat16);
  napi_set_named_property(env, exports, "bfloat16Instructions", bfloat16);
  return exports;
}
