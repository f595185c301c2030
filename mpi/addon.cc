// Node-API bindings of exchange.h, and nothing else.
#include <unistd.h>

#include <memory>
#include <vector>

#include "exchange.h"
#include "node_binding.h"

namespace {

using namespace densenet::binding;
namespace mpi = densenet::mpi;

std::vector<int> integers(const Arguments& arguments, int i) {
  size_t count = 0;
  const int32_t* values = arguments.array<int32_t>(i, &count);
  return {values, values + count};
}

/** join() → Promise<{ rank, size, library }> */
napi_value join(napi_env env, napi_callback_info) {
  const auto place = std::make_shared<mpi::Place>();
  return start(
      env, [=] { *place = mpi::join(); },
      [place](napi_env env) {
        napi_value result;
        napi_create_object(env, &result);
        napi_set_named_property(env, result, "rank", number(env, place->rank));
        napi_set_named_property(env, result, "size", number(env, place->size));
        napi_set_named_property(env, result, "library", text(env, place->library));
        return result;
      });
}

/** gather(send: Uint8Array, bytes: Int32Array [processes], receive: Uint8Array) → Promise<void>, fills receive */
napi_value gather(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const uint8_t* send = arguments.array<uint8_t>(0);
  const std::vector<int> bytes = integers(arguments, 1);
  uint8_t* receive = arguments.array<uint8_t>(2);
  return start(
      env, [=] { mpi::gather(send, bytes, receive); }, nothing, {arguments.value(0), arguments.value(2)});
}

/** sum(send: Float32Array, parts: Int32Array [processes], receive: Float32Array) → Promise<void>, fills receive */
napi_value sum(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const float* send = arguments.array<float>(0);
  const std::vector<int> parts = integers(arguments, 1);
  size_t size = 0;
  float* receive = arguments.array<float>(2, &size);
  return start(
      env, [=] { mpi::sum(send, parts, size, receive); }, nothing, {arguments.value(0), arguments.value(2)});
}

/** broadcast(data: Uint8Array) → Promise<void>, fills data where it is not the first process's */
napi_value broadcast(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  size_t bytes = 0;
  uint8_t* data = arguments.array<uint8_t>(0, &bytes);
  return start(env, [=] { mpi::broadcast(data, bytes); }, nothing, {arguments.value(0)});
}

/** leave() → Promise<void> */
napi_value leave(napi_env env, napi_callback_info) {
  return start(env, [] { mpi::leave(); }, nothing);
}

/** end(code): ends the process now, whatever its threads wait for */
napi_value end(napi_env env, napi_callback_info info) { _exit(Arguments(env, info).integer(0)); }

}  // namespace

NAPI_MODULE_INIT() {
  define(env, exports, "join", join);
  define(env, exports, "gather", gather);
  define(env, exports, "sum", sum);
  define(env, exports, "broadcast", broadcast);
  define(env, exports, "leave", leave);
  define(env, exports, "end", end);
  return exports;
}
