#pragma once

#include <vector>

#include "report/svg.h"
#include "report/table.h"
#include "runtime/kernel_choices.h"
#include "runtime/runner.h"

namespace espalier::runtime {

/// What one step of a plan does, and how long it takes.
struct StepReport {
  const Step* step;
  const Stage* stage;  ///< which the step belongs to
  Cost cost;
  double seconds;  ///< the median of several runs
  /// The kernels that the plan's choice was made among, with their times alone; none where it
  /// had no times or one kernel alone.
  KernelChoices::Timings candidates = {};
};

/// Something for each input of a graph, in its layout: normal numbers, or zeros where whole numbers are asked
/// for, which may mean something.
ESPALIER_API std::vector<Tensor> made_up_inputs(const Graph& graph);

/// Runs a plan `rounds` times, one step after the other, after one run to warm up, and reports its steps in
/// their order, with what `choices`, if any, has timed for them. The reports point into the plan. Throws what
/// Runner::run() throws, ValueError for less than one round.
ESPALIER_API std::vector<StepReport> explain(Runner& runner, Inputs inputs, int rounds = 20,
                                             const KernelChoices* choices = nullptr);

/// A row for each step: operation, kernel, threads (or, where it runs beside others, its lane), what comes
/// out, floating-point operations, bytes, time, its share, and how many operations and bytes a second that
/// makes; with candidates also the other kernels, and how many times the chosen one's time they take.
ESPALIER_API report::Table step_table(std::span<const StepReport> steps);

/// A graph as a chart: inputs and nodes as boxes, values as arrows. States and constants are left out; the
/// names of those that a node reads are shown when a pointer rests on it.
ESPALIER_API report::Svg draw(const Graph& graph);

/// The steps of a plan as a chart, coloured by their share of the time.
ESPALIER_API report::Svg draw(const Plan& plan, std::span<const StepReport> steps);

}  // namespace espalier::runtime
