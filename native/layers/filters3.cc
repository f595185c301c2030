#include "filters3.h"

namespace densenet {

void Filters3::putGradient(const Pass& pass, int tasks) const {
  const int padded = paddedInputs(), floats = kTaps * padded;
  const float* partials = pass.activations.partials.data();
  const Gradient gradient = parameters_.gradient(offset_);
  pass.executor.forEach(outputs_, [&](int o, Scratch& scratch) {
    float* sum = scratch.take(static_cast<size_t>(floats));
    std::fill(sum, sum + floats, 0.0f);
    for (int task = 0; task < tasks; ++task) {
      const float* from = partials + task * gradientFloats() + static_cast<size_t>(o) * floats;
      for (int i = 0; i < floats; ++i) sum[i] += from[i];
    }
    for (int c = 0; c < inputs_; ++c)
      for (int tap = 0; tap < kTaps; ++tap)
        gradient.put((static_cast<size_t>(o) * inputs_ + c) * kTaps + tap, sum[tap * padded + c]);
  });
}

}  // namespace densenet
