/*
 * What the libraries of the null GPU share: settings from the environment, and counters in a file that a test
 * can read while the process runs.
 */
#pragma once
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The order is that of COUNTERS in counters.ts. */
enum counter {
  KERNELS,
  LIBRARY_CALLS,
  GRAPH_LAUNCHES,
  GRAPH_NODES,
  MEMSETS,
  UPLOADS,
  UPLOADED_BYTES,
  DOWNLOADS,
  DOWNLOADED_BYTES,
  DEVICE_COPIES,
  COUNTERS
};

/* One mapping per library, all of the same file: $NULL_GPU_COUNTERS, if it is set. */
static atomic_long *null_counters;

__attribute__((constructor)) static void null_open(void) {
  static atomic_long unread[COUNTERS];
  null_counters = unread;
  const char *path = getenv("NULL_GPU_COUNTERS");
  if (path == NULL) return;
  int file = open(path, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, sizeof unread) != 0) abort();
  null_counters = mmap(NULL, sizeof unread, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (null_counters == MAP_FAILED) abort();
  close(file);
}

static inline int null_count(enum counter counter, long more) {
  atomic_fetch_add(&null_counters[counter], more);
  return 0;
}

/* Every call that does nothing comes by here: $NULL_GPU_TRACE names it. */
static inline int null_call(const char *name) {
  if (getenv("NULL_GPU_TRACE")) fprintf(stderr, "null GPU: %s\n", name);
  return 0;
}

static inline int null_setting(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value == NULL ? otherwise : atoi(value);
}

/* CUDA version that the driver supports, as cuDriverGetVersion has it: 12.9 is 12090. */
static inline int null_driver_version(void) { return null_setting("NULL_GPU_DRIVER", 12090); }

/*
 * Number among the machine's GPUs of the one that the process sees as `device`, or -1. As NVIDIA's driver does it:
 * CUDA_VISIBLE_DEVICES is a list up to its first fault.
 */
static inline int null_physical(int device) {
  int all = null_setting("NULL_GPU_COUNT", 1);
  const char *visible = getenv("CUDA_VISIBLE_DEVICES");
  if (visible == NULL) return device < all ? device : -1;
  for (int index = 0;; index++) {
    char *end;
    long number = strtol(visible, &end, 10);
    if (end == visible || number < 0 || number >= all) return -1;
    if (index == device) return (int)number;
    if (*end != ',') return -1;
    visible = end + 1;
  }
}

/* Compute capability 8.6 is 86; a list is of the machine's GPUs, and its last holds for the rest. */
static inline int null_capability(int device) {
  const char *list = getenv("NULL_GPU_CAPABILITY");
  if (list == NULL) return 80;
  for (int left = null_physical(device); left > 0 && strchr(list, ','); left--) list = strchr(list, ',') + 1;
  return atoi(list);
}

#define NULL_MEMORY ((size_t)40 << 30)
#define NULL_FREE_MEMORY ((size_t)39 << 30)

/* Something to point to: a stream, an event, a descriptor. */
static inline int null_handle(void **handle) {
  *handle = calloc(1, 256);
  return 0;
}

/* Properties by CUDA's number; the driver and the runtime have the same numbers. Sizes are an A100's. */
static inline int null_attribute(int attribute, int device) {
  switch (attribute) {
    case 1: return 1024;               /* threads per block */
    case 2: case 3: return 1024;       /* block, x and y */
    case 4: return 64;                 /* block, z */
    case 5: return 2147483647;         /* grid, x */
    case 6: case 7: return 65535;      /* grid, y and z */
    case 8: return 48 << 10;           /* shared memory per block */
    case 10: return 32;                /* warp */
    case 12: return 65536;             /* registers per block */
    case 13: return 1410000;           /* clock, kHz */
    case 16: return 108;               /* multiprocessors */
    case 36: return 1215000;           /* memory clock, kHz */
    case 37: return 5120;              /* memory bus, bits */
    case 38: return 40 << 20;          /* L2 cache */
    case 39: return 2048;              /* threads per multiprocessor */
    case 75: return null_capability(device) / 10;
    case 76: return null_capability(device) % 10;
    case 81: return 164 << 10;         /* shared memory per multiprocessor */
    case 82: return 65536;             /* registers per multiprocessor */
    case 97: return 163 << 10;         /* shared memory per block, on request */
    default: return 1;
  }
}

/* Memory of the device is memory of the host, all 0 and not taken until it is touched. Its size lies before it. */
#define NULL_PAGE 4096

static inline int null_allocate(void **pointer, size_t bytes) {
  size_t whole = bytes + NULL_PAGE;
  char *memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 2; /* out of memory */
  *(size_t *)memory = whole;
  *pointer = memory + NULL_PAGE;
  return 0;
}

static inline int null_free(void *pointer) {
  if (pointer == NULL) return 0;
  char *memory = (char *)pointer - NULL_PAGE;
  return munmap(memory, *(size_t *)memory);
}
