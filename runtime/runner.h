#pragma once

#include <memory>
#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

/// Runs a plan for one caller at a time: it has the arena and the tensors that the steps work on, all made
/// once. Many runners may run one plan at the same time if the plan updates no state.
class ESPALIER_API Runner {
 public:
  /// Throws MemoryError.
  explicit Runner(std::shared_ptr<const Plan> plan);
  ~Runner();
  Runner(Runner&&) noexcept;
  Runner& operator=(Runner&&) noexcept;

  const Plan& plan() const noexcept { return *plan_; }

  /// Reads the inputs and overwrites `results`, which must not share memory with them, nor the inputs with
  /// states that the plan changes. The caller works too; where the other threads are busy, it does all.
  /// Throws ValueError for another number of tensors; ShapeError, TypeError and DeviceError where one is not
  /// of the plan's shape and layout, type, or on the CPU; what the operations' kernels throw.
  void run(Inputs inputs, std::span<const Tensor> results);
  /// The same with new tensors for the results.
  std::vector<Tensor> run(Inputs inputs);
  /// The same one step after the other, and the seconds that each takes.
  std::vector<double> time_steps(Inputs inputs);

 private:
  struct BoundStep;
  struct Bound;

  std::vector<Tensor> new_results() const;
  /// Looks at the caller's tensors, and has the steps see them.
  void bind(Inputs inputs, std::span<const Tensor> results);
  void run_step(int index);
  void run_lane(const std::vector<int>& steps);
  void run_stage(const Stage& stage);
  void finish();

  std::shared_ptr<const Plan> plan_;
  std::unique_ptr<Bound> bound_;
};

}  // namespace espalier::runtime
