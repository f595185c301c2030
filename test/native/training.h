// What whole networks have to do. Each makes a network of the description and `batch` images in `parts` micro-batches.
#pragma once

#include "network.h"
#include "network_builder.h"

/**
 * No bad access, and in both precisions the same bits for several numbers of threads up to `most` and with activations
 * computed again.
 */
void testSameBits(const densenet::NetworkDescription& description, int batch, int parts, int most = 7);

/** A small step along the gradient changes the loss by the step's length times the gradient's. */
void testGradient(const densenet::NetworkDescription& description, int batch, int parts);

/** In bfloat16 it has about the direction and the length of single precision's. */
void testBfloat16Gradient(const densenet::NetworkDescription& description, int batch, int parts);
