/* libcuda.so.1: the driver. */
#include <dlfcn.h>
#include "null.h"

enum { SUCCESS = 0, INVALID_VALUE = 1, NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_FOUND = 500, NOT_SUPPORTED = 801 };

int cuInit(unsigned flags) { return null_setting("NULL_GPU_INIT", null_physical(0) < 0 ? NO_DEVICE : SUCCESS); }
int cuDriverGetVersion(int *version) { *version = null_driver_version(); return SUCCESS; }
int cuDeviceGetCount(int *count) {
  for (*count = 0; null_physical(*count) >= 0;) ++*count;
  return SUCCESS;
}
int cuDeviceGet(int *device, int index) { *device = index; return null_physical(index) < 0 ? INVALID_DEVICE : SUCCESS; }
int cuDeviceGetName(char *name, int length, int device) {
  snprintf(name, length, "Null GPU %d", null_physical(device));
  return SUCCESS;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = NULL_MEMORY; return SUCCESS; }
int cuDeviceGetPCIBusId(char *text, int length, int device) {
  snprintf(text, length, "0000:%02x:00.0", null_physical(device) + 1);
  return SUCCESS;
}
int cuDeviceGetUuid(char *uuid, int device) { memset(uuid, null_physical(device) + 1, 16); return SUCCESS; }
int cuDeviceGetUuid_v2(char *uuid, int device) { return cuDeviceGetUuid(uuid, device); }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = null_attribute(attribute, device); return SUCCESS; }

int cuGetErrorName(int error, const char **name) {
  switch (error) {
    case 3: *name = "CUDA_ERROR_NOT_INITIALIZED"; break;
    case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
    case 803: *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; break;
    case 999: *name = "CUDA_ERROR_UNKNOWN"; break;
    default: *name = "CUDA_ERROR"; break;
  }
  return SUCCESS;
}
int cuGetErrorString(int error, const char **text) { return cuGetErrorName(error, text); }
int cuGetExportTable(const void **table, const void *id) { return NOT_SUPPORTED; }

/* A newer version of a function has _v2 in its name. */
int cuGetProcAddress(const char *name, void **function, int version, unsigned long flags) {
  char newer[128];
  snprintf(newer, sizeof newer, "%s_v2", name);
  void *self = dlopen("libcuda.so.1", RTLD_NOLOAD | RTLD_NOW);
  *function = dlsym(self, newer);
  if (*function == NULL) *function = dlsym(self, name);
  return *function == NULL ? NOT_FOUND : SUCCESS;
}
int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long flags, int *status) {
  if (status) *status = 0;
  return cuGetProcAddress(name, function, version, flags);
}

int cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)0x1000; return SUCCESS; }
int cuCtxGetCurrent(void **context) { *context = (void *)0x1000; return SUCCESS; }
int cuStreamCreate(void **stream, unsigned flags) { return null_handle(stream); }
int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) { return null_handle(stream); }
int cuStreamDestroy_v2(void *stream) { free(stream); return SUCCESS; }
int cuEventCreate(void **event, unsigned flags) { return null_handle(event); }
int cuEventDestroy_v2(void *event) { free(event); return SUCCESS; }

/* Calls happen at once, so what waits for a stream need not wait. */
int cuLaunchHostFunc(void *stream, void (*function)(void *), void *data) { function(data); return SUCCESS; }
int cuStreamAddCallback(void *stream, void (*function)(void *, int, void *), void *data, unsigned flags) {
  function(stream, SUCCESS, data);
  return SUCCESS;
}

int cuMemGetInfo_v2(size_t *available, size_t *total) {
  *available = NULL_FREE_MEMORY;
  *total = NULL_MEMORY;
  return SUCCESS;
}
int cuMemAlloc_v2(void **pointer, size_t bytes) { return null_allocate(pointer, bytes); }
int cuMemAllocAsync(void **pointer, size_t bytes, void *stream) { return null_allocate(pointer, bytes); }
int cuMemAllocHost_v2(void **pointer, size_t bytes) { return null_allocate(pointer, bytes); }
int cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) { return null_allocate(pointer, bytes); }
int cuMemFree_v2(void *pointer) { return null_free(pointer); }
int cuMemFreeAsync(void *pointer, void *stream) { return null_free(pointer); }
int cuMemFreeHost(void *pointer) { return null_free(pointer); }

static int copy(enum counter count, enum counter bytes, void *to, const void *from, size_t size) {
  memcpy(to, from, size);
  null_count(count, 1);
  return null_count(bytes, size);
}
int cuMemcpyHtoD_v2(void *to, const void *from, size_t size) { return copy(UPLOADS, UPLOADED_BYTES, to, from, size); }
int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t size, void *stream) { return cuMemcpyHtoD_v2(to, from, size); }
int cuMemcpyDtoH_v2(void *to, const void *from, size_t size) { return copy(DOWNLOADS, DOWNLOADED_BYTES, to, from, size); }
int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t size, void *stream) { return cuMemcpyDtoH_v2(to, from, size); }
int cuMemcpyDtoD_v2(void *to, const void *from, size_t size) { memcpy(to, from, size); return null_count(DEVICE_COPIES, 1); }
int cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t size, void *stream) { return cuMemcpyDtoD_v2(to, from, size); }
int cuMemcpy(void *to, const void *from, size_t size) { return cuMemcpyDtoD_v2(to, from, size); }
int cuMemcpyAsync(void *to, const void *from, size_t size, void *stream) { return cuMemcpyDtoD_v2(to, from, size); }

int cuMemsetD8Async(void *to, unsigned char value, size_t count, void *stream) {
  memset(to, value, count);
  return null_count(MEMSETS, 1);
}
int cuMemsetD32Async(void *to, unsigned value, size_t count, void *stream) {
  for (size_t i = 0; i < count; i++) ((unsigned *)to)[i] = value;
  return null_count(MEMSETS, 1);
}

int cuModuleLoadData(void **module, const void *image) { return null_handle(module); }
int cuModuleLoadDataEx(void **module, const void *image, ...) { return null_handle(module); }
int cuModuleLoadFatBinary(void **module, const void *image) { return null_handle(module); }
int cuModuleGetFunction(void **function, void *module, const char *name) { return null_handle(function); }
int cuFuncGetAttribute(int *value, int attribute, void *function) { *value = attribute == 0 ? 1024 : 16; return SUCCESS; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, ...) { *blocks = 2; return SUCCESS; }
int cuLaunchKernel(void *function, ...) { return null_count(KERNELS, 1); }
int cuLaunchKernelEx(void *configuration, void *function, ...) { return null_count(KERNELS, 1); }
int cuLaunchCooperativeKernel(void *function, ...) { return null_count(KERNELS, 1); }

/* Graphs of kernels, which XLA records and launches as one. */
static int node(void **node) { null_count(GRAPH_NODES, 1); return null_handle(node); }
int cuGraphCreate(void **graph, unsigned flags) { return null_handle(graph); }
int cuGraphInstantiate(void **executable, ...) { return null_handle(executable); }
int cuGraphInstantiateWithFlags(void **executable, ...) { return null_handle(executable); }
int cuGraphInstantiateWithParams(void **executable, ...) { return null_handle(executable); }
int cuGraphAddEmptyNode(void **made, ...) { return null_handle(made); }
int cuGraphAddKernelNode(void **made, ...) { return node(made); }
int cuGraphAddKernelNode_v2(void **made, ...) { return node(made); }
int cuGraphAddMemcpyNode(void **made, ...) { return node(made); }
int cuGraphAddMemsetNode(void **made, ...) { return node(made); }
int cuGraphAddChildGraphNode(void **made, ...) { return node(made); }
int cuGraphAddNode(void **made, ...) { return node(made); }
int cuGraphAddNode_v2(void **made, ...) { return node(made); }
int cuStreamEndCapture(void *stream, void **graph) { return null_handle(graph); }
int cuGraphLaunch(void *executable, void *stream) { return null_count(GRAPH_LAUNCHES, 1); }
