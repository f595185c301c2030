/* libcudnn.so.9: convolutions, which are planned through opaque descriptors. */
#include "null.h"

size_t cudnnGetVersion(void) { return 92800; }
size_t cudnnGetCudartVersion(void) { return 12090; }
const char *cudnnGetErrorString(int error) { return "an error of the null cuDNN"; }
void cudnnGetLastErrorString(char *text, size_t length) { if (length > 0) *text = 0; }

/* Major, minor and patch level of the version. */
int cudnnGetProperty(int part, int *value) {
  *value = part == 0 ? 9 : part == 1 ? 28 : 0;
  return 0;
}

int cudnnBackendCreateDescriptor(int type, void **descriptor) { return null_handle(descriptor); }

/* There is one of everything; a 64-bit number (type 3), such as the size of a workspace, is 0. */
int cudnnBackendGetAttribute(void *descriptor, int name, int type, long wanted, long *found, void *values) {
  if (found) *found = 1;
  if (values && wanted >= 1 && type == 3) memset(values, 0, 8);
  return 0;
}
