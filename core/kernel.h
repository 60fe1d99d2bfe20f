#pragma once

#include <array>
#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>

#include "core/device.h"
#include "core/export.h"
#include "core/tensor.h"

namespace espalier {

class Operation;

using Inputs = std::span<const Tensor>;
using Outputs = std::span<Tensor>;

/// A kernel made ready for one problem: everything that depends on types, shapes and constants alone is done,
/// and a run looks nothing up. Any number of threads may run one, each with its own tensors and
/// scratch.
class ESPALIER_API PreparedKernel {
 public:
  virtual ~PreparedKernel();
  /// Memory that a run needs for itself, in bytes.
  virtual size_t scratch_bytes() const;
  /// `scratch` is aligned to Allocator::kAlignment.
  virtual void run(Inputs inputs, Outputs outputs, void* scratch) const = 0;
};

/// One implementation of an operation on a kind of device. Make it with kernel().
struct Kernel {
  const char* name;
  /// Null where it takes the problem, else the reason, in a few words, why it does not. Cheap: it is asked at
  /// every call.
  const char* (*decline)(const Operation&, Inputs, std::span<const Tensor> outputs);
  /// `scratch` has scratch_bytes() and is aligned to Allocator::kAlignment. run_kernel() takes it from the
  /// allocator; a plan has a place for it.
  void (*run)(const Operation&, Inputs, Outputs, void* scratch);
  /// Makes it ready for problems that it takes, or gives null where there is nothing to prepare, or no way
  /// to. The tensors tell types and layouts; only the inputs in the bit set `constants` have elements, the
  /// ones of every run.
  std::unique_ptr<const PreparedKernel> (*prepare)(const Operation&, Inputs, std::span<const Tensor> outputs,
                                                   uint32_t constants) = nullptr;
  /// Memory that a run needs for itself, in bytes; null: none. The tensors need not have elements. It may
  /// depend on num_threads(), which is the same when it runs.
  size_t (*scratch)(const Operation&, Inputs, std::span<const Tensor> outputs) = nullptr;
  /// Null, or the reason why a kernel behind it in the list is likely to be faster at a problem that it
  /// takes; null instead of a function: never.
  const char* (*yield)(const Operation&, Inputs, std::span<const Tensor> outputs) = nullptr;
  /// It is there for what others decline, and for comparison: never the fastest.
  bool reference = false;
  /// It computes element by element, by one functor that types and attributes alone decide: FusedElementwise
  /// can take it into a chain.
  bool elementwise = false;
  /// Made ready with constants, it adds up in another order than `run`: the last digits differ.
  bool packed_sums = false;

  size_t scratch_bytes(const Operation& operation, Inputs inputs, std::span<const Tensor> outputs) const {
    return scratch ? scratch(operation, inputs, outputs) : 0;
  }
};

/// A kernel from a function `void (const Op&, Inputs, Outputs)` and, where it does not take everything, a
/// function `const char* (const Op&, Inputs, std::span<const Tensor> outputs)` that gives the reason; and
/// where it can be made ready, a function `std::unique_ptr<const PreparedKernel> (const Op&, Inputs,
/// std::span<const Tensor> outputs, uint32_t constants)`. Where it needs memory for itself, `scratch` is a
/// function `size_t (const Op&, Inputs, std::span<const Tensor> outputs)` that says how much, and `run` takes
/// it, a `void*`, as its last argument.
template <class Op, auto run, auto decline = nullptr, auto prepare = nullptr, auto scratch = nullptr>
constexpr Kernel kernel(const char* name) {
  Kernel made{name, nullptr, [](const Operation& op, Inputs in, Outputs out, [[maybe_unused]] void* memory) {
                if constexpr (std::is_null_pointer_v<decltype(scratch)>)
                  run(static_cast<const Op&>(op), in, out);
                else
                  run(static_cast<const Op&>(op), in, out, memory);
              }};
  // Not by comparison: under -fsanitize=undefined GCC takes no function's address for a constant.
  if constexpr (!std::is_null_pointer_v<decltype(decline)>) {
    made.decline = [](const Operation& op, Inputs in, std::span<const Tensor> out) {
      return decline(static_cast<const Op&>(op), in, out);
    };
  }
  if constexpr (!std::is_null_pointer_v<decltype(prepare)>) {
    made.prepare = [](const Operation& op, Inputs in, std::span<const Tensor> out, uint32_t constants) {
      return prepare(static_cast<const Op&>(op), in, out, constants);
    };
  }
  if constexpr (!std::is_null_pointer_v<decltype(scratch)>) {
    made.scratch = [](const Operation& op, Inputs in, std::span<const Tensor> out) {
      return scratch(static_cast<const Op&>(op), in, out);
    };
  }
  return made;
}

/// The same kernel, which yields where `yield`, a function `const char* (const Op&, Inputs, std::span<const
/// Tensor> outputs)`, says so.
template <class Op, auto yield>
constexpr Kernel yielding(Kernel kernel) {
  kernel.yield = [](const Operation& op, Inputs in, std::span<const Tensor> out) {
    return yield(static_cast<const Op&>(op), in, out);
  };
  return kernel;
}
constexpr Kernel reference(Kernel kernel) {
  kernel.reference = true;
  return kernel;
}
constexpr Kernel elementwise(Kernel kernel) {
  kernel.elementwise = true;
  return kernel;
}
constexpr Kernel packing_sums(Kernel kernel) {
  kernel.packed_sums = true;
  return kernel;
}

/// The implementations of an operation by kind of device, fastest first and the plain reference last. The
/// CPU's are there from the start (so static linking loses none), those of other devices are filled in when a
/// program installs the device.
class ESPALIER_API KernelSlot {
 public:
  constexpr KernelSlot() = default;
  constexpr explicit KernelSlot(std::span<const Kernel> cpu) { lists_[0] = List{cpu.data(), cpu.size()}; }

  std::span<const Kernel> kernels(DeviceType type) const noexcept {
    const List& list = lists_[static_cast<size_t>(type)];
    return {list.first, list.count};
  }
  /// `kernels` must have static storage duration. Call before the operation first runs on that device.
  void fill(DeviceType type, std::span<const Kernel> kernels) noexcept {
    lists_[static_cast<size_t>(type)] = List{kernels.data(), kernels.size()};
  }

 private:
  struct List {
    const Kernel* first = nullptr;
    size_t count = 0;
  };
  std::array<List, kDeviceTypeCount> lists_{};
};

}  // namespace espalier
