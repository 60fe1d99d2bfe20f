#pragma once

#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

/// Decides what a plan does and which values share memory; where the arena's buffers lie is decided after it.
class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, KernelChoices* choices);

  std::vector<Step> steps;
  std::vector<Buffer> buffers;
  std::vector<Operand> results;

 private:
  void find_needed();
  void add_node(size_t index);
  int buffer_for_update(int node, size_t source);
  void put_out();
  void write_states();
  void choose_kernels(KernelChoices* choices);
  void find_lifetimes();

  int add_buffer(Buffer buffer);
  int buffer_of(ValueId id);
  Operand operand(ValueId id);
  Operand copied(const Operand& from, int buffer);
  void add_copy(const Operand& from, const Operand& to);
  void assign(ValueId id, int buffer);

  const Graph& graph_;
  std::vector<int> last_use_;  ///< of each value: the last node that reads it; -1: nobody, kForever: it stays
  std::vector<int> buffer_of_;                 ///< of each value
  std::vector<std::vector<ValueId>> members_;  ///< of each buffer: the values that were put there so far
};

}  // namespace espalier::runtime
