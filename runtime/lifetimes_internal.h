#pragma once

#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

/// When a buffer is used: from `first_stage` to `last_stage`, and there in one lane or in several.
struct Life {
  static constexpr int kSeveralLanes = -1;

  int first_stage = -1, last_stage = -1;  ///< -1: never
  int first_lane = 0, last_lane = 0;
  int first = -1, last = -1;  ///< steps

  bool used() const { return first >= 0; }
  /// Its lane in a stage of its life: all uses of others in that lane come before or after its own.
  int lane_in(int stage) const;
  /// Whether each use has ended before any of `other` begins.
  bool ends_before(const Life& other) const;
};

/// Of each buffer.
std::vector<Life> lives_of(const std::vector<Step>& steps, size_t buffers);

}  // namespace espalier::runtime
