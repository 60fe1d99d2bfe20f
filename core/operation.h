#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/attributes.h"
#include "core/inline_vector.h"
#include "core/kernel.h"
#include "core/tensor.h"

namespace espalier {

/// What an operation will put out, told before anything runs.
struct OutputSpec {
  enum class Kind : uint8_t {
    fresh,   ///< a new tensor
    view,    ///< the elements of an input seen with another layout
    update,  ///< an input, changed in place
  };

  static OutputSpec fresh(const Shape& shape, Dtype dtype) {
    return fresh(shape, contiguous_strides(shape), dtype);
  }
  /// `strides` must be dense.
  static OutputSpec fresh(const Shape& shape, const Strides& strides, Dtype dtype) {
    return {Kind::fresh, dtype, -1, shape, strides, 0};
  }
  static OutputSpec view(int source, const Tensor& input, const Shape& shape, const Strides& strides,
                         int64_t offset) {
    return {Kind::view, input.dtype(), source, shape, strides, offset};
  }
  static OutputSpec update(int source, const Tensor& input) {
    return {Kind::update, input.dtype(), source, input.shape(), input.strides(), input.offset()};
  }

  Kind kind = Kind::fresh;
  Dtype dtype = Dtype::f32;
  int source = -1;  ///< the input that a view looks into or that is updated
  Shape shape;
  Strides strides;
  int64_t offset = 0;
};

using Tensors = InlineVector<Tensor, 4>;
using OutputSpecs = InlineVector<OutputSpec, 4>;

/// Which inputs and outputs a backward reads, as bit sets; what is not named is not kept alive.
struct SavedForBackward {
  uint32_t inputs = ~0u;
  uint32_t outputs = 0;
};

/// Arithmetic and memory traffic of one run.
struct Cost {
  int64_t flops = 0;  ///< floating-point operations; a multiply-add counts as two
  int64_t bytes = 0;  ///< read and written, each element once
};

/// Axes that must keep the same size when channels are removed: `operand` counts the inputs from 0 up and the
/// outputs from -1 down. At least one is an input's, and the operation itself stays as it is: run on inputs
/// without a channel, it puts out what it did, without that channel along the outputs' tied axes; unless
/// these are `mixed`. An axis stands in one tie at most.
struct AxisTie {
  struct Axis {
    int operand;
    int axis;
  };
  std::vector<Axis> axes;
  /// Along the outputs' tied axes an element depends on the others, or on its place among them: a norm over
  /// them, a causal mask, random numbers that follow positions.
  bool mixed = false;
};

/// What autocasting (ops/autocast.h) does with the floating-point inputs of an operation.
enum class AutocastRule : uint8_t {
  keep,    ///< leaves them as they are
  narrow,  ///< f32 becomes the narrow type: for products, which add up in f32 all the same
  widen,   ///< f16 and bf16 become f32: for sums, exponentials, norms and losses, which want its range or
           ///< digits
  agree,   ///< where the types differ, f16 and bf16 become f32
};

/// What an operation's backward sees. Only what saved_for_backward() named may be asked for by value; shapes
/// and types are always there.
class ESPALIER_API BackwardContext {
 public:
  virtual ~BackwardContext();
  virtual int input_count() const = 0;
  virtual const Tensor& input(int i) const = 0;
  virtual const Tensor& output(int i) const = 0;
  virtual const Shape& input_shape(int i) const = 0;
  virtual Dtype input_dtype(int i) const = 0;
  /// The gradient that arrived for output `i`; undefined where none did.
  virtual const Tensor& gradient(int i) const = 0;
  /// Whether anybody wants the gradient of input `i`.
  virtual bool wants(int i) const = 0;
};

/// Something that computes: attributes as members, and everything that the rest of the library must know of
/// it. It lives on the caller's stack and is copied only when a listener keeps it. Derive from OperationOf.
class ESPALIER_API Operation {
 public:
  virtual ~Operation();

  virtual std::string_view name() const = 0;

  /// The inputs that may be absent (undefined tensors), as a bit set: an optional bias, say. The door refuses
  /// absence of the others.
  virtual uint32_t optional_inputs() const;
  bool is_optional(size_t input) const { return input < 32 && (optional_inputs() >> input & 1u); }

  /// Checks the inputs and says what comes out; runs without data. Throws ShapeError and TypeError that begin
  /// with the operation's name and print all shapes and types. The door has checked that the inputs are on
  /// one device, and absent only where optional_inputs() allows it.
  virtual void infer(Inputs inputs, OutputSpecs& outputs) const = 0;

  /// Where this operation's kernels are listed, by device.
  virtual const KernelSlot& kernels() const = 0;

  virtual std::unique_ptr<Operation> clone() const = 0;

  /// One gradient for each input, undefined where it is zero or unwanted, computed with other operations.
  /// Throws GradientError by default.
  virtual Tensors backward(const BackwardContext& context) const;
  virtual SavedForBackward saved_for_backward() const;
  /// Whether gradients flow through output `i`. False for indices, masks and updated buffers.
  virtual bool differentiable(int output) const;

  /// Whether decompose() exists: for fused operations, whose own backward is an operation without a gradient.
  virtual bool decomposable() const;
  /// The same result through simple operations; second derivatives are taken of this. Inputs that
  /// saved_for_backward() does not name (buffers that the operation changed) are undefined.
  virtual Tensors decompose(Inputs inputs) const;

  /// By default one operation for each element of the outputs, and every input and output moved once.
  virtual Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const;

  /// Which axes shrink together when channels are removed; empty: none may shrink.
  virtual std::vector<AxisTie> axis_ties(Inputs inputs) const;

  /// `keep` by default.
  virtual AutocastRule autocast_rule() const;

  /// The inputs, as a bit set, that are images (axes N, C, H, W) which kernels read in channels-last memory
  /// (N, H, W, C): in another layout they are copied first, or read many times slower. None by default.
  virtual uint32_t channels_last_inputs() const;

  /// Hands each member that says what is computed to `visit`, with its name: so operations are printed,
  /// compared and saved. Nothing by default.
  virtual void visit_attributes(AttributeVisitor& visit);

 protected:
  Operation() = default;
  Operation(const Operation&) = default;
  Operation& operator=(const Operation&) = default;
};

/// Throws ValueError, on behalf of `where`, where an input is undefined.
ESPALIER_API void check_defined(std::string_view where, Inputs inputs);
inline void check_defined(std::string_view where, const Tensor& input) {
  if (!input.defined()) check_defined(where, Inputs(&input, 1));
}

/// Supplies name(), kernels() and clone() from `static constexpr std::string_view kName` and `static
/// KernelSlot slot` of the derived class. `Base` is Operation or what a family of operations shares.
template <class Derived, class Base = Operation>
class OperationOf : public Base {
 public:
  using Base::Base;
  std::string_view name() const final { return Derived::kName; }
  const KernelSlot& kernels() const final { return Derived::slot; }
  std::unique_ptr<Operation> clone() const final {
    // Not make_unique, whose templates every file that sees an operation would instantiate for each: a
    // quarter of its compilation.
    return std::unique_ptr<Operation>(new Derived(static_cast<const Derived&>(*this)));
  }
};

}  // namespace espalier
