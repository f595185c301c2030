// Linked into tfjs-node's binding. NVIDIA_TF32_OVERRIDE=0 keeps cuBLAS and cuDNN from multiplying TF32, but TensorFlow
// does not know it: from compute capability 8.0 on it would keep feature maps NHWC in evaluation, which is the better
// order for TF32 alone.
#include <cstdlib>
#include <string_view>

namespace tsl {
/** Libraries for other processors may not have it. */
[[gnu::weak]] void enable_tensor_float_32_execution(bool enabled);
}

namespace {

[[gnu::constructor]] void tellTensorFlow() {
  const char* override = std::getenv("NVIDIA_TF32_OVERRIDE");
  const bool off = override && std::string_view(override) == "0";
  if (off && tsl::enable_tensor_float_32_execution) tsl::enable_tensor_float_32_execution(false);
}

}  // namespace
