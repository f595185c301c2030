// The multiply-add peak of the machine.
#pragma once

namespace densenet {

/** Single-precision FLOP/s of `threads` threads that do nothing but multiply-adds on registers, best of some tries. */
double measurePeak(int threads);

}  // namespace densenet
