#include "norm.h"

#include <cmath>

namespace densenet {

namespace {
constexpr double kEpsilon = 1e-5;  // BN_EPSILON of src/networks/network.ts
}  // namespace

Norm::Norm(Parameters& parameters, int channels)
    : parameters_(&parameters), channels_(channels), gamma_(parameters.add(channels, true)),
      beta_(parameters.add(channels, true)), runningMean_(parameters.add(channels, false)),
      runningVariance_(parameters.add(channels, false)), scale_(channels), shift_(channels), center_(channels) {}

Norm::Norm(int channels)
    : parameters_(nullptr), channels_(channels), gamma_(0), beta_(0), runningMean_(0), runningVariance_(0),
      scale_(channels, 1.0f), shift_(channels), center_(channels) {}

void Norm::useBatch(const FeatureMap& map, bool movesRunning) {
  if (!active()) return;
  const float *gamma = parameters_->values(gamma_), *beta = parameters_->values(beta_);
  for (int c = 0; c < channels_; ++c) {
    scale_[c] = static_cast<float>(gamma[c] * map.inverse[c]);
    shift_[c] = static_cast<float>(beta[c] - gamma[c] * map.inverse[c] * map.mean[c]);
    center_[c] = static_cast<float>(map.mean[c]);
  }
  if (!movesRunning) return;
  const double pixels = static_cast<double>(map.pixels());
  const double unbiased = pixels > 1 ? pixels / (pixels - 1) : 1;
  double *mean = parameters_->moves(runningMean_), *variance = parameters_->moves(runningVariance_);
  for (int c = 0; c < channels_; ++c) {
    mean[c] = kRunningMomentum * map.mean[c];
    variance[c] = kRunningMomentum * unbiased * map.variance[c];
  }
}

void Norm::useRunning() {
  if (!active()) return;
  const float *gamma = parameters_->values(gamma_), *beta = parameters_->values(beta_);
  const float *mean = parameters_->values(runningMean_), *variance = parameters_->values(runningVariance_);
  for (int c = 0; c < channels_; ++c) {
    const double scale = gamma[c] / std::sqrt(variance[c] + kEpsilon);
    scale_[c] = static_cast<float>(scale);
    shift_[c] = static_cast<float>(beta[c] - scale * mean[c]);
    center_[c] = mean[c];
  }
}

void Norm::finish(FeatureMap& map, const std::vector<std::vector<NormSums>>& parts) {
  if (!active()) return;
  const float* gamma = parameters_->values(gamma_);
  const Gradient gammaGradient = parameters_->gradient(gamma_), betaGradient = parameters_->gradient(beta_);
  const double pixels = static_cast<double>(map.pixels());
  for (int c = 0; c < channels_; ++c) {
    NormSums sum;
    for (const std::vector<NormSums>& part : parts) {
      sum.gradient += part[c].gradient;
      sum.product += part[c].product;
    }
    const double inverse = map.inverse[c], scale = gamma[c] * inverse;
    betaGradient.put(c, static_cast<float>(sum.gradient));
    gammaGradient.put(c, static_cast<float>(sum.product * inverse));
    map.deferredMean[c] += scale * sum.gradient / pixels;
    map.deferredSlope[c] += scale * inverse * inverse * sum.product / pixels;
  }
}

}  // namespace densenet
