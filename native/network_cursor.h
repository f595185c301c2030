// Where the builders of a network are.
#pragma once

#include "network.h"

namespace densenet {

/** Where the next stage reads, and how much of each kind came before. */
struct Network::Cursor {
  Channels channels;
  int height, width;
  int blocks = 0, transitions = 0, residualStages = 0, convolutions = 0;
};

}  // namespace densenet
