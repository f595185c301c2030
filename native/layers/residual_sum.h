// The end of a residual unit: its branch is added to its shortcut.
#pragma once

#include "layer.h"
#include "rows.h"

namespace densenet {

/** y = p·a(branch) + s(shortcut), then ReLU where units end with it. a and s are batch normalisations or nothing. */
class ResidualSum : public Layer {
 public:
  struct Summand {
    int map;
    std::shared_ptr<Norm> norm;
  };
  struct Options {
    /** ReLU follows; otherwise a later layer normalises the output. */
    bool relu;
    /** p in evaluation; 1 in training. */
    double survival;
    /** Of the network; its branch is left out of steps that it does not survive. */
    int unit;
  };
  /**
   * The shortcut may be the output itself. The gradient of the output becomes that of the sum, and so that of each
   * summand without normalisation, which has to share its memory.
   */
  ResidualSum(Summand branch, Summand shortcut, Channels output, Options options);

  void prepare(Executor& executor, bool training) override;
  void forward(const Pass& pass) override;
  void backward(const Pass& pass) override;
  const char* name() const override { return "sum"; }

 private:
  struct Sums;
  void addTile(const Pass& pass, int tile, bool branch) const;
  void backwardTile(const Pass& pass, int tile, const GradientTerms& terms, bool branch, Sums& sums) const;

  Summand branch_, shortcut_;
  Channels output_;
  Options options_;
};

}  // namespace densenet
