#include "winograd.h"

namespace densenet {

namespace {

/**
 * Tiles of four columns need fewer multiplications, but they round more: from this depth on their error stays below
 * twice that of the direct kernel (docs/log.md). Backward less is enough, as gradients have no mean that has to cancel.
 */
constexpr int kLeastForwardDepth = 48, kLeastBackwardDepth = 32;

template <template <int> class WidePass>
std::unique_ptr<WinogradPass> makePass(const WinogradSpec& spec, bool wide) {
  if (wide && StripShape<4>::fillsBlock(spec.height, spec.width)) return std::make_unique<WidePass<4>>(spec);
  return std::make_unique<WidePass<2>>(spec);
}

}  // namespace

bool WinogradConvolution3::pays(int inputs, int outputs, int height, int width) {
  constexpr int kLeastChannels = 8;  // below, the transforms cost more than the products save
  constexpr double kLeastGain = 1.5;
  return std::min(inputs, outputs) >= kLeastChannels && StripShape<2>::gain(height, width) >= kLeastGain;
}

WinogradConvolution3::WinogradConvolution3(Parameters& parameters, ConvolutionSpec spec)
    : spec_{spec.input, spec.output, spec.height, spec.width, spec.dropout, spec.firstReader, std::move(spec.norm),
            Filters3(parameters, spec.weights, spec.input.count, spec.output.count)},
      forward_(makePass<WinogradForward>(spec_, spec.input.count >= kLeastForwardDepth)),
      backward_(makePass<WinogradBackward>(spec_, spec.output.count >= kLeastBackwardDepth)) {}

void WinogradConvolution3::prepare(Executor& executor, bool training) {
  if (training) return;
  forward_->prepare(executor);
  spec_.norm->useRunning();
}

}  // namespace densenet
