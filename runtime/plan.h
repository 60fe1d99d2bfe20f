#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/equality.h"
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
  int threads = 1;                                           ///< that the kernel splits its work over
  int stage = -1;                                            ///< the place in Plan::stages()
  int lane = 0;                                              ///< the place in Stage::lanes
  NodeMarks marks = {};                                      ///< of its node
};

/// Steps that stand together in the order of the plan and run at the same time: each lane, some of their
/// numbers, on one thread. No step of a lane needs one of another. Most stages are one step.
struct Stage {
  std::vector<std::vector<int>> lanes;
  int threads = 1;  ///< that each step splits its work over; 1 where there are several lanes
};

/// Which steps that do not need each other run side by side.
enum class SideBySide : uint8_t {
  none,
  worthwhile,  ///< those that are estimated to end sooner than one after the other, each on all threads
  all,         ///< as many as there are: for tests and measurements
};

struct PlanOptions {
  /// The most threads that a run uses; 0: num_threads().
  int threads = 0;
  /// Times by which kernels are chosen, and whether a step runs on one thread or on all; what is missing is
  /// timed and added. Null: rules say. Only the constructor reads it.
  KernelChoices* choices = nullptr;
  SideBySide side_by_side = SideBySide::worthwhile;
  /// With Equality::strict each step is split over all threads, kernels are those of eager code, and neither
  /// of the two members above has a say: `choices` must be null.
  Equality equality = Equality::rounded;
};

/// A graph made ready to run on the CPU: which steps, in which order, and where every value lies. Immutable:
/// any number of threads may share one, each with a Runner of its own.
///
/// What nobody asked for is not computed. An update is done in place where nobody reads the old value any
/// more (else in a copy), and states are written where they are.
///
/// A step runs on one thread or on all of them, whichever is estimated or timed to be faster, and steps that
/// are too small to be split run side by side where they do not need each other. So a plan of a small network
/// uses one thread. What a plan computes does not depend on when its threads run: it gives the same bits in
/// each run.
class ESPALIER_API Plan {
 public:
  /// Chooses kernels and makes them ready. Throws DeviceError or TypeError where an operation has no kernel
  /// that takes what the graph gives it, ValueError unless 0 <= threads <= kMaxThreads.
  explicit Plan(Graph graph, const PlanOptions& options = {});

  const Graph& graph() const noexcept { return graph_; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  /// What a run does, one stage after the other.
  const std::vector<Stage>& stages() const noexcept { return stages_; }
  const std::vector<Buffer>& buffers() const noexcept { return buffers_; }
  /// Where a run leaves what it puts out: the graph's outputs, then the gradients that are not absent.
  const std::vector<Operand>& results() const noexcept { return results_; }

  /// The threads that a run uses, its caller's included: those of the options, or one where no stage is worth
  /// more.
  int threads() const noexcept { return threads_; }
  /// The memory that each runner takes, in bytes.
  size_t arena_bytes() const noexcept { return arena_bytes_; }
  /// The most that lives in the arena at once under these stages, in bytes: no placement takes less.
  size_t least_arena_bytes() const noexcept { return least_arena_bytes_; }

 private:
  Graph graph_;
  std::vector<Step> steps_;
  std::vector<Stage> stages_;
  std::vector<Buffer> buffers_;
  std::vector<Operand> results_;
  int threads_ = 1;
  size_t arena_bytes_ = 0, least_arena_bytes_ = 0;
};

}  // namespace espalier::runtime
