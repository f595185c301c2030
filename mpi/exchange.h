// One training run on several processes: what they exchange, over MPI. No call may overlap another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace densenet::mpi {

struct Place {
  int rank, size;
  /** For people: `Open MPI v4.1.4`. */
  std::string library;
};

/** Joins the processes that were started together. Throws if MPI cannot be used from more than one thread. */
Place join();

/**
 * Every process gets what all send, in the order of ranks; `bytes` says how much each does. Waits without using the
 * processor, since others may be long in coming.
 */
void gather(const void* send, const std::vector<int>& bytes, void* receive);

/**
 * Every process gets the sum of arrays of `size` floats, of which process r sends parts[r], one after another. The
 * first is taken as it is and each further one added, by rank and then by place, whoever computes it: each process
 * sums one chunk of all arrays, then all get all chunks.
 */
void sum(const float* send, const std::vector<int>& parts, size_t size, float* receive);

/** All processes get `bytes` of the first. */
void broadcast(void* data, size_t bytes);

/** Leaves in order; waits for the others. */
void leave();

}  // namespace densenet::mpi
