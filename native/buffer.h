// Memory of a model: aligned, zeroed, in huge pages where the system has them.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace densenet {

/** A growable array of floats whose contents are zeroed whenever it grows. */
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  ~Buffer() { std::free(data_); }

  /** Makes room for `size` floats. What was there is lost when it has to grow. */
  void reserve(size_t size) {
    if (size <= size_) return;
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
    const size_t bytes = size * sizeof(float);
    void* memory = nullptr;
    if (posix_memalign(&memory, bytes >= kHugePage ? kHugePage : 64, bytes) != 0) throw std::bad_alloc();
    data_ = static_cast<float*>(memory);
#if defined(__linux__)
    // Whole huge pages only: one that is partly used would take all of its memory.
    if (bytes >= kHugePage) madvise(data_, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
    std::memset(data_, 0, bytes);
    size_ = size;
  }

  float* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kHugePage = size_t{1} << 21;
  float* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace densenet
