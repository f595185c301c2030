// A network ready to run, as NetworkBuilder makes it: its parameters, its layers in order, and the maps between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "description.h"
#include "feature_map.h"
#include "layers/layer.h"
#include "parameters.h"

namespace densenet {

/** When a layer or a map is part of the network. */
enum class Use { kAlways, kTraining, kEvaluation };

inline bool takesPart(Use use, bool training) {
  return use == Use::kAlways || (use == Use::kTraining) == training;
}

/** Memory that maps of the same role use one after the other. `kOwn`: shared with no other. */
enum Slot { kOwn = -1, kTrunk = 0, kInner = 2, kProjected = 4, kSampled, kActivated, kDropped, kSlots };

/** Where a map lies. */
struct Place {
  /** Slot of the data when training does not keep them, and in prediction. */
  int data;
  /** Slot of the gradient. */
  int gradient;
  /** Whether training keeps the data from the forward to the backward pass: then they have memory of their own. */
  bool kept = true;

  int dataSlot(bool training) const { return training && kept ? kOwn : data; }
};

struct PlannedMap {
  FeatureMap shape;
  Place place;
  Use use;
};

struct PlannedLayer {
  /** What its time is reported under. */
  std::string stage;
  std::unique_ptr<Layer> layer;
  Use use = Use::kAlways;
  /** The layer whose output this one reads and training does not keep: it runs again before this backward pass. */
  Layer* again = nullptr;
  /** The residual unit of whose branch it is part, or −1. */
  int unit = -1;
};

/** A residual unit, whose branch may be dropped. */
struct ResidualUnit {
  /** Its maps. */
  int input, output;
  /** Without its branch its output is its input. */
  bool identity;
  /** The parameters of its branch, [begin, end). */
  size_t begin, end;
};

struct NetworkPlan {
  NetworkDescription description;
  /** Not by value: layers refer to them. */
  std::unique_ptr<Parameters> parameters;
  std::vector<PlannedMap> maps;
  std::vector<PlannedLayer> layers;
  std::vector<ResidualUnit> units;
};

}  // namespace densenet
