#include "check.h"

int main() {
  testOperands();
  testKernels();
  testPlanes();
  testPooling();
  testWinograd();
  testRandom();
  testThreads();
  testNetworks();
  testResidual();
  if (failures == 0) std::puts("all C++ tests passed");
  return failures == 0 ? 0 : 1;
}
