#pragma once

#include <string>
#include <vector>

#include "runtime/capture.h"
#include "runtime/state.h"

namespace espalier::test {

/// A function that is planned, with what it reads.
struct Workload {
  std::string name;
  runtime::Function f;
  runtime::State state;
  std::vector<Tensor> inputs;
  bool training;
};

/// Small forms of what people train and serve: each network as inference and as training steps.
std::vector<Workload> steady_workloads();

}  // namespace espalier::test
