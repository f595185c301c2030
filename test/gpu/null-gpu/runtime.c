/* libcudart.so.12: the runtime, which TensorFlow's own kernels are launched through. */
#include "null.h"

/* First fields of cudaDeviceProp (CUDA 12); the rest stays 0. */
struct properties {
  char name[256], uuid[16], luid[8];
  unsigned luid_mask;
  size_t memory, shared_per_block;
  int registers_per_block, warp;
  size_t pitch;
  int threads_per_block, block[3], grid[3], clock;
  size_t constants;
  int major, minor;
  size_t texture_alignment, texture_pitch_alignment;
  int overlap, multiprocessors;
  char rest[640];
};
_Static_assert(sizeof(struct properties) == 1032, "as large as cudaDeviceProp");

struct function_attributes {
  size_t shared, constants, local;
  int threads_per_block, registers, ptx, binary;
  char rest[88];
};

int cudaRuntimeGetVersion(int *version) { *version = 12090; return 0; }
int cudaDriverGetVersion(int *version) { *version = null_driver_version(); return 0; }
int cudaGetDevice(int *device) { *device = 0; return 0; }
int cudaGetDeviceCount(int *count) { *count = 1; return 0; }
int cudaDeviceGetAttribute(int *value, int attribute, int device) { *value = null_attribute(attribute, device); return 0; }
int cudaGetDeviceProperties_v2(struct properties *found, int device) {
  *found = (struct properties){
    .name = "Null GPU",
    .memory = NULL_MEMORY,
    .shared_per_block = null_attribute(8, device),
    .registers_per_block = null_attribute(12, device),
    .warp = null_attribute(10, device),
    .threads_per_block = null_attribute(1, device),
    .block = {null_attribute(2, device), null_attribute(3, device), null_attribute(4, device)},
    .grid = {null_attribute(5, device), null_attribute(6, device), null_attribute(7, device)},
    .clock = null_attribute(13, device),
    .major = null_attribute(75, device),
    .minor = null_attribute(76, device),
    .multiprocessors = null_attribute(16, device),
  };
  return 0;
}
const char *cudaGetErrorString(int error) { return "an error of the null GPU"; }
const char *cudaGetErrorName(int error) { return "cudaError"; }

int cudaMalloc(void **pointer, size_t bytes) { return null_allocate(pointer, bytes); }
int cudaFree(void *pointer) { return null_free(pointer); }

/* What the compiler puts around a kernel's launch. */
void **__cudaRegisterFatBinary(void *binary) {
  static void *handle[2];
  return handle;
}
static struct { size_t shared; void *stream; } pushed;
unsigned __cudaPushCallConfiguration(
  unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, size_t shared, void *stream
) {
  pushed.shared = shared;
  pushed.stream = stream;
  return 0;
}
int __cudaPopCallConfiguration(unsigned grid[3], unsigned block[3], size_t *shared, void **stream) {
  for (int i = 0; i < 3; i++) grid[i] = block[i] = 1;
  *shared = pushed.shared;
  *stream = pushed.stream;
  return 0;
}
int cudaLaunchKernel(const void *function, ...) { return null_count(KERNELS, 1); }
int __cudaLaunchKernel(const void *function, ...) { return null_count(KERNELS, 1); }
int cudaLaunchKernelExC(const void *configuration, const void *function, void **arguments) { return null_count(KERNELS, 1); }
int cudaLaunchCooperativeKernel(const void *function, ...) { return null_count(KERNELS, 1); }
int cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, ...) { *blocks = 2; return 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, ...) { *blocks = 2; return 0; }
int cudaFuncGetAttributes(struct function_attributes *found, const void *function) {
  *found = (struct function_attributes){.threads_per_block = 1024, .registers = 32, .ptx = 80, .binary = 80};
  return 0;
}
