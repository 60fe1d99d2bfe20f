#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/graph.h"

namespace espalier::runtime {

class KernelChoices;

/// A block of memory that values lie in while a plan runs.
struct Buffer {
  enum class Place : uint8_t {
    arena,     ///< at `offset` in the memory that each runner has for itself
    input,     ///< the caller's: input number `index`
    result,    ///< the caller's: result number `index`
    state,     ///< the memory of the graph's state or constant `index`, a value
    constant,  ///< likewise
  };
  Place place = Place::arena;
  int index = 0;
  size_t bytes = 0;
  size_t offset = 0;  ///< in bytes
  int first = -1;     ///< the first step that uses it; -1: none does
  int last = -1;      ///< the last one
};

/// What a step reads or writes: a buffer, and on meta how the elements lie in it. Absent where `buffer` is
/// -1.
struct Operand {
  int buffer = -1;
  Tensor type = {};
};

/// An operation on memory: one thing that a run does.
struct Step {
  std::shared_ptr<const Operation> operation;
  InlineVector<Operand, 4> inputs = {}, outputs = {};
  const Kernel* kernel = nullptr;
  std::shared_ptr<const PreparedKernel> prepared = nullptr;  ///< null: `kernel` runs as it is
  int scratch = -1;                                          ///< the buffer that the kernel needs for itself
};

/// A graph made ready to run on the CPU: which steps, in which order, and where every value lies. Immutable:
/// any number of threads may share one, each with a Runner of its own.
///
/// What nobody asked for is not computed. An update is done in place where nobody reads the old value any
/// more (else in a copy), and states are written where they are.
class ESPALIER_API Plan {
 public:
  /// Chooses kernels and makes them ready for num_threads() threads, which runs will use: those of `choices`,
  /// timing what is not in there, or else by rules. Throws DeviceError or TypeError where an operation has no
  /// kernel that takes what the graph gives it.
  explicit Plan(Graph graph, KernelChoices* choices = nullptr);

  const Graph& graph() const noexcept { return graph_; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  const std::vector<Buffer>& buffers() const noexcept { return buffers_; }
  /// Where a run leaves what it puts out: the graph's outputs, then the gradients that are not absent.
  const std::vector<Operand>& results() const noexcept { return results_; }

  /// The threads that a run uses.
  int threads() const noexcept { return threads_; }
  /// The memory that each runner takes, in bytes.
  size_t arena_bytes() const noexcept { return arena_bytes_; }
  /// The most that lives in the arena at once under this order of steps, in bytes: no placement takes less.
  size_t least_arena_bytes() const noexcept { return least_arena_bytes_; }

 private:
  Graph graph_;
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
  std::vector<Operand> results_;
  int threads_;
  size_t arena_bytes_ = 0, least_arena_bytes_ = 0;
};

}  // namespace espalier::runtime
