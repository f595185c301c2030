#include "exchange.h"

// The C interface alone: the C++ one of old versions needs a library of its own.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace densenet::mpi {

namespace {

void check(int code) {
  if (code == MPI_SUCCESS) return;
  char message[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, message, &length);
  throw std::runtime_error(std::string(message, static_cast<size_t>(length)));
}

int rank() {
  int value = 0;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &value));
  return value;
}

int size() {
  int value = 0;
  check(MPI_Comm_size(MPI_COMM_WORLD, &value));
  return value;
}

/** Sums of all before. */
std::vector<int> offsets(const std::vector<int>& counts) {
  std::vector<int> before(counts.size());
  std::partial_sum(counts.begin(), counts.end() - 1, before.begin() + 1);
  return before;
}

/** MPI's own way to wait keeps a core busy: right for microseconds, and wrong while another process writes a file. */
void wait(MPI_Request request) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (int done = 0;;) {
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    if (done) return;
    if (Clock::now() - start < std::chrono::milliseconds(1))
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

}  // namespace

Place join() {
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided));
  if (provided < MPI_THREAD_SERIALIZED) throw std::runtime_error("this MPI serves its first thread only");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check(MPI_Get_library_version(library, &length));
  const std::string name(library, static_cast<size_t>(length));
  return {rank(), size(), name.substr(0, name.find_first_of(",\n"))};
}

void gather(const void* send, const std::vector<int>& bytes, void* receive) {
  const std::vector<int> places = offsets(bytes);
  MPI_Request request;
  check(MPI_Iallgatherv(send, bytes[static_cast<size_t>(rank())], MPI_BYTE, receive, bytes.data(), places.data(),
                        MPI_BYTE, MPI_COMM_WORLD, &request));
  wait(request);
}

void sum(const float* send, const std::vector<int>& parts, size_t size, float* receive) {
  const size_t processes = parts.size(), self = static_cast<size_t>(rank());
  std::vector<int> chunks(processes);
  for (size_t r = 0; r < processes; ++r)
    chunks[r] = static_cast<int>(size * (r + 1) / processes - size * r / processes);
  const std::vector<int> places = offsets(chunks);
  const size_t own = static_cast<size_t>(chunks[self]);
  const int rounds = *std::max_element(parts.begin(), parts.end());
  // [rounds, processes, own]. MPI counts in int, which one round fits into, and all rounds of large networks do not.
  std::vector<float> received(static_cast<size_t>(rounds) * processes * own);
  const auto array = [&](size_t r, int round) {
    return received.data() + (static_cast<size_t>(round) * processes + r) * own;
  };
  for (int round = 0; round < rounds; ++round) {
    const std::vector<int> none(processes, 0);
    std::vector<int> counts(processes);
    std::vector<int> to(processes);
    for (size_t r = 0; r < processes; ++r) {
      counts[r] = round < parts[r] ? static_cast<int>(own) : 0;
      to[r] = static_cast<int>(r * own);
    }
    const bool sends = round < parts[self];
    check(MPI_Alltoallv(send + static_cast<size_t>(round) * size, (sends ? chunks : none).data(), places.data(),
                        MPI_FLOAT, array(0, round), counts.data(), to.data(), MPI_FLOAT, MPI_COMM_WORLD));
  }
  float* __restrict total = receive + places[self];
  bool first = true;
  for (size_t r = 0; r < processes; ++r) {
    for (int round = 0; round < parts[r]; ++round) {
      const float* __restrict next = array(r, round);
      if (first)
        std::copy(next, next + own, total);
      else
        for (size_t i = 0; i < own; ++i) total[i] += next[i];
      first = false;
    }
  }
  check(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, receive, chunks.data(), places.data(), MPI_FLOAT,
                       MPI_COMM_WORLD));
}

void broadcast(void* data, size_t bytes) {
  constexpr size_t kMost = size_t{1} << 30;
  for (size_t at = 0; at < bytes; at += kMost)
    check(MPI_Bcast(static_cast<char*>(data) + at, static_cast<int>(std::min(kMost, bytes - at)), MPI_BYTE, 0,
                    MPI_COMM_WORLD));
}

void leave() { check(MPI_Finalize()); }

}  // namespace densenet::mpi
