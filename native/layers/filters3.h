// The weights of a 3×3 convolution, and its passes cut into tasks of whole images.
#pragma once

#include <vector>

#include "layer.h"
#include "rows.h"
#include "tasks.h"

namespace densenet {

/** Weights of a 3×3 window. */
constexpr int kTaps = 9;

/** Weights [output][input][3][3], and what tasks need to sum their gradient. */
class Filters3 {
 public:
  /** `offset` is where they lie among the parameters. */
  Filters3(Parameters& parameters, size_t offset, int inputs, int outputs)
      : parameters_(parameters), offset_(offset), inputs_(inputs), outputs_(outputs) {}

  const float* values() const { return parameters_.values(offset_); }
  /** [3][3] */
  const float* filter(int output, int input) const {
    return values() + (static_cast<size_t>(output) * inputs_ + input) * kTaps;
  }
  int inputs() const { return inputs_; }
  int paddedInputs() const { return roundUp(inputs_, kLanes); }
  /** Floats of a task's part of the gradient: [output][tap][padded input]. */
  int64_t gradientFloats() const { return int64_t{kTaps} * outputs_ * paddedInputs(); }
  /** Adds the parts of all tasks, in their order. */
  void putGradient(const Pass& pass, int tasks) const;

 private:
  Parameters& parameters_;
  size_t offset_;
  int inputs_, outputs_;
};

/** Forward: run(first image, end, moments of the outputs, scratch) for each task. */
template <class F>
void forwardImages(const Pass& pass, const Filters3& filters, Channels outputs, F&& run) {
  FeatureMap& output = pass.map(outputs.map);
  const Split tasks = imageTasks(output, filters.gradientFloats());
  std::vector<MomentsPart> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    MomentSums moments(pass.training ? outputs.count : 0);
    run(tasks.start(task), tasks.start(task + 1), moments, scratch);
    parts[task] = moments.part();
  });
  if (pass.training) output.setMoments(outputs.first, parts);
}

/**
 * Backward: run(first image, end, weight gradient, sums of the input's normalisation, scratch) for each task, which
 * sets the weight gradient, [output][tap][padded input].
 */
template <class F>
void backwardImages(const Pass& pass, const Filters3& filters, Norm& norm, FeatureMap& input,
                    const FeatureMap& output, F&& run) {
  const int64_t floats = filters.gradientFloats();
  const Split tasks = imageTasks(output, floats);
  pass.activations.partials.reserve(static_cast<size_t>(tasks.count * floats));
  std::vector<std::vector<NormSums>> parts(static_cast<size_t>(tasks.count));
  pass.executor.forEach(tasks.count, [&](int task, Scratch& scratch) {
    float* weightGradient = pass.activations.partials.data() + task * floats;
    NormVectors sums(filters.inputs());
    run(tasks.start(task), tasks.start(task + 1), weightGradient, sums, scratch);
    parts[task] = sums.sums();
  });
  filters.putGradient(pass, tasks.count);
  norm.finish(input, parts);
}

}  // namespace densenet
