// Node-API bindings, and nothing else: they unpack arguments, move the work off the main thread, and pack results.
#include <node_api.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/operands.h"
#include "network.h"
#include "network_builder.h"
#include "peak.h"

namespace {

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

/** Arguments of a call. The TypeScript side has checked their types. */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = 8;
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }
  double number(int i) const {
    double value = 0;
    napi_get_value_double(env_, values_[i], &value);
    return value;
  }
  int integer(int i) const { return static_cast<int>(number(i)); }
  bool boolean(int i) const {
    bool value = false;
    napi_get_value_bool(env_, values_[i], &value);
    return value;
  }
  template <class T>
  T& handle(int i) const {
    void* data = nullptr;
    napi_get_value_external(env_, values_[i], &data);
    return *static_cast<T*>(data);
  }
  /** The contents of a typed array. They stay valid as long as someone holds a reference to it. */
  template <class T>
  T* array(int i, size_t* length = nullptr) const {
    void* data = nullptr;
    napi_get_typedarray_info(env_, values_[i], nullptr, length, &data, nullptr, nullptr);
    return static_cast<T*>(data);
  }
  napi_value value(int i) const { return values_[i]; }

 private:
  napi_env env_;
  napi_value values_[8];
};

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value text(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

/** Hands an object to JavaScript, which deletes it when it is garbage-collected. */
template <class T>
napi_value external(napi_env env, T object) {
  napi_value result;
  napi_create_external(
      env, new T(std::move(object)), [](napi_env, void* data, void*) { delete static_cast<T*>(data); }, nullptr,
      &result);
  return result;
}

/** Work off the main thread, and the promise of its result. */
struct Job {
  std::function<void()> run;
  std::function<napi_value(napi_env)> result;
  std::string error;
  napi_deferred deferred;
  napi_async_work work;
  std::vector<napi_ref> held;
};

void settle(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  for (napi_ref reference : job->held) napi_delete_reference(env, reference);
  if (job->error.empty()) {
    napi_resolve_deferred(env, job->deferred, job->result(env));
  } else {
    napi_value error;
    napi_create_error(env, nullptr, text(env, job->error), &error);
    napi_reject_deferred(env, job->deferred, error);
  }
  napi_delete_async_work(env, job->work);
}

/** Starts `run` on a thread of Node's pool, keeping the values `held` alive meanwhile. */
napi_value start(napi_env env, std::function<void()> run, std::function<napi_value(napi_env)> result,
                 std::vector<napi_value> held = {}) {
  Job* job = new Job{std::move(run), std::move(result), {}, nullptr, nullptr, {}};
  for (napi_value value : held) {
    job->held.emplace_back();
    napi_create_reference(env, value, 1, &job->held.back());
  }
  napi_value promise;
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_async_work(
      env, nullptr, text(env, "densenet"),
      [](napi_env, void* data) {
        Job* running = static_cast<Job*>(data);
        try {
          running->run();
        } catch (const std::exception& error) {
          running->error = error.what();
        }
      },
      settle, job, &job->work);
  napi_queue_async_work(env, job->work);
  return promise;
}

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
  const double* o = arguments.array<double>(3);
  const densenet::Optimizer optimizer{static_cast<float>(o[0]), static_cast<float>(o[1]), static_cast<float>(o[2]),
                                      o[3] != 0};
  size_t words = 0, units = 0;
  const uint32_t* key = arguments.array<uint32_t>(4, &words);
  const uint8_t* survivors = arguments.array<uint8_t>(5, &units);
  const size_t parts = words / 2;
  std::vector<densenet::MicroBatch> draws;
  for (size_t i = 0; i < parts; ++i)
    draws.push_back({{key[2 * i], key[2 * i + 1]},
                     {survivors + i * (units / parts), survivors + (i + 1) * (units / parts)}});
  const auto step = std::make_shared<densenet::StepResult>();
  return start(
      env,
      [=] { *step = model->network.train(*model->pool, images, labels, static_cast<int>(count), optimizer, draws); },
      [step](napi_env env) {
        napi_value result;
        napi_create_object(env, &result);
        napi_set_named_property(env, result, "loss", number(env, step->loss));
        napi_set_named_property(env, result, "correct", number(env, step->correct));
        return result;
      },
      {arguments.value(1), arguments.value(2)});
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
      env, [=] { model->network.predict(*model->pool, images, count, logits); },
      [](napi_env env) {
        napi_value nothing;
        napi_get_undefined(env, &nothing);
        return nothing;
      },
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

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  define(env, exports, "createPool", createPool);
  define(env, exports, "createModel", createModel);
  define(env, exports, "parameterCount", parameterCount);
  define(env, exports, "train", train);
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
