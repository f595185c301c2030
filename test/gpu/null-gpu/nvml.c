/* libnvidia-ml.so.1: management. TensorFlow needs it to be there; the program asks it for free memory. */
#include "null.h"

struct memory { unsigned long long total, available, used; };

/* NVML_ERROR_DRIVER_NOT_LOADED is 9. */
int nvmlInit_v2(void) { return null_setting("NULL_GPU_NVML", 0); }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { snprintf(text, length, "575.00.00"); return 0; }
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **device) { *device = (void *)0x1000; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, struct memory *found) {
  *found = (struct memory){NULL_MEMORY, NULL_FREE_MEMORY, NULL_MEMORY - NULL_FREE_MEMORY};
  return 0;
}
