#pragma once

#include <vector>

#include "runtime/plan.h"
#include "runtime/step_cost_internal.h"

namespace espalier::runtime {

/// The threads that PlanOptions::threads means. Throws ValueError for less than none, or too many.
int threads_for_option(int threads);

/// Whether the value is all that there is in its memory, so that a caller's memory can take its place.
bool fills_memory(const Tensor& type);

/// Decides what a plan does and when, and which values share memory; where the arena's buffers lie is decided
/// after it. The options name a number of threads.
class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, const PlanOptions& options);

  std::vector<Step> steps;
  std::vector<Stage> stages;
  std::vector<Buffer> buffers;
  std::vector<Operand> results;

 private:
  void find_needed();
  void add_node(size_t index);
  int buffer_for_update(int node, size_t source);
  void put_out();
  void write_states();
  void choose_stages(const PlanOptions& options);
  void choose_kernel_of(Step& step, const PlanOptions& options);

  int add_buffer(Buffer buffer);
  int buffer_of(ValueId id);
  Operand operand(ValueId id);
  Operand copied(const Operand& from, int buffer);
  void add_copy(const Operand& from, const Operand& to);
  void assign(ValueId id, int buffer);

  StepSeconds seconds_of(const Step& step, int threads, KernelChoices* choices) const;
  bool stays(int buffer) const;
  size_t bytes_that_stay() const;
  size_t bytes_that_stay(const Step& step) const;

  /// A step's tensors as its kernel will see them, but that only constants have elements yet.
  struct StepTensors {
    Tensors inputs, outputs;
    uint32_t constants = 0;  ///< the inputs that are, as bits
  };
  StepTensors tensors_of(const Step& step) const;

  const Graph& graph_;
  std::vector<int> last_use_;  ///< of each value: the last node that reads it; -1: nobody, kForever: it stays
  std::vector<int> buffer_of_;                 ///< of each value
  std::vector<std::vector<ValueId>> members_;  ///< of each buffer: the values that were put there so far
};

}  // namespace espalier::runtime
