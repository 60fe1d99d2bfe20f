#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/export.h"
#include "core/operation.h"

namespace espalier {

/// The one way to compute: checks, infers the shapes, allocates, picks a kernel for the device, runs it, and
/// tells the thread's listeners. Views and updates in place go through here as well. Throws what
/// Operation::infer throws, DeviceError where inputs are on several devices or no kernel takes the problem,
/// GradientError from the tape.
ESPALIER_API Tensors apply(const Operation& operation, Inputs inputs);

inline Tensors apply(const Operation& operation, std::initializer_list<Tensor> inputs) {
  return apply(operation, Inputs(inputs.begin(), inputs.size()));
}

/// The same for inputs in a vector or array. Its constraint makes it win over std::apply, which an
/// unqualified call finds too where an argument is of the standard library.
template <class Op, class List>
  requires std::derived_from<std::remove_cvref_t<Op>, Operation> && std::convertible_to<List&, Inputs>
Tensors apply(Op&& operation, List&& inputs) {
  return apply(static_cast<const Operation&>(operation), Inputs(inputs));
}

/// The first kernel for the device that takes the problem and does not yield, or, where all yield, the first
/// that takes it; ESPALIER_LOG=dispatch prints it, and why others declined. Throws DeviceError where there is
/// none for the device, TypeError where none takes it.
ESPALIER_API const Kernel& choose_kernel(const Operation& operation, Inputs inputs,
                                         std::span<const Tensor> outputs, Device device);

/// The kernels that take the problem, but for references, in their order: those among which timing decides.
ESPALIER_API std::vector<const Kernel*> contenders(const Operation& operation, Inputs inputs,
                                                   std::span<const Tensor> outputs, Device device);

/// Runs a kernel, with the scratch memory that it needs from the allocator of `device`.
ESPALIER_API void run_kernel(const Kernel& kernel, const Operation& operation, Inputs inputs, Outputs outputs,
                             Device device = kCpu);

/// An output as it will be: new memory, or what it is a view or update of in another layout.
ESPALIER_API Tensor make_output(const OutputSpec& spec, Inputs inputs, Device device);

/// For operations with one output.
template <class... T>
Tensor apply_one(const Operation& operation, const T&... inputs) {
  const Tensor list[] = {inputs...};
  return std::move(apply(operation, Inputs(list, sizeof...(T)))[0]);
}

/// Whoever is told of each operation: the tape, a recorder of graphs, a checker.
class ESPALIER_API Listener {
 public:
  virtual ~Listener();
  /// Asked of the recorder alone, before anything is checked: it may put other tensors in the place of the
  /// inputs. Returns whether it did; then all of them are in `adopted`.
  virtual bool adopt(const Operation& operation, Inputs inputs, Tensors& adopted);
  /// Before the kernel runs; may throw to refuse.
  virtual void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs);
  /// After it ran; may set the outputs' gradient links.
  virtual void after(const Operation& operation, Inputs inputs, Outputs outputs) = 0;
};

/// Who listens to a thread. `tape` is heard only where an input requires a gradient.
enum class ListenerSlot : uint8_t { tape, recorder, checker };
inline constexpr int kListenerSlotCount = 3;

/// Puts a listener in one of the calling thread's slots, or takes it out (null), for the life of this object.
/// Scopes nest.
class ESPALIER_API ListenerScope {
 public:
  ListenerScope(ListenerSlot slot, Listener* listener) noexcept
      : ListenerScope(slot, listener, listener != nullptr) {}
  ~ListenerScope();
  ListenerScope(const ListenerScope&) = delete;
  ListenerScope& operator=(const ListenerScope&) = delete;

 private:
  friend class EnableGrad;
  ListenerScope(ListenerSlot slot, Listener* listener, bool listens) noexcept;

  ListenerSlot slot_;
  bool listened_;
  Listener* previous_;
};

/// Whether a recorder listens to the calling thread.
ESPALIER_API bool capturing() noexcept;
/// Where a tensor with known values is made that is asked for on `device`: there, but on the CPU where that
/// is meta and a recorder listens, which keeps the values as a constant of its graph.
ESPALIER_API Device device_of_values(Device device) noexcept;

/// The listener that hears, by default, every thread's operations on tensors that require a gradient: the
/// tape installs itself when the first tensor asks for one.
ESPALIER_API void install_tape(Listener& tape) noexcept;

/// While it lives, the calling thread records nothing for backward.
class ESPALIER_API NoGrad {
 public:
  NoGrad() noexcept : scope_(ListenerSlot::tape, nullptr) {}

 private:
  ListenerScope scope_;
};

/// While it lives, the calling thread records for backward, also inside a NoGrad.
class ESPALIER_API EnableGrad {
 public:
  EnableGrad() noexcept;

 private:
  ListenerScope scope_;
};

/// Whether the calling thread records operations on tensors that require a gradient.
ESPALIER_API bool grad_enabled() noexcept;

/// What Autocast (ops/autocast.h) is made of: while it lives, the door converts the inputs of the calling
/// thread's operations to what their autocast_rule() says, with `narrow` as the narrow type and `convert`,
/// which the core has no operation for. Without a type nothing is converted. Scopes nest.
class ESPALIER_API AutocastScope {
 public:
  using Convert = Tensor (*)(const Tensor&, Dtype);

  AutocastScope(std::optional<Dtype> narrow, Convert convert) noexcept;
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  std::optional<Dtype> previous_type_;
  Convert previous_convert_;
};

/// The narrow type of the calling thread's innermost AutocastScope.
ESPALIER_API std::optional<Dtype> autocast_dtype() noexcept;

/// While it lives, every operation of the calling thread is followed by a look at its floating-point outputs,
/// and the first value that is not finite throws a NumericError with the name of the operation that made it.
class ESPALIER_API FiniteCheck {
 public:
  FiniteCheck() noexcept;

 private:
  ListenerScope scope_;
};

}  // namespace espalier
