// What bindings of Node-API need: arguments, results, and work off the main thread.
#pragma once

#include <node_api.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace densenet::binding {

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

inline napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

inline napi_value text(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

inline napi_value nothing(napi_env env) {
  napi_value result;
  napi_get_undefined(env, &result);
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

inline void settle(napi_env env, napi_status, void* data) {
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
inline napi_value start(napi_env env, std::function<void()> run, std::function<napi_value(napi_env)> result,
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

inline void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace densenet::binding
