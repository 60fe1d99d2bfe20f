#pragma once

#include "core/operation.h"

namespace espalier {

/// The types that an elementwise operation takes. u16, u32 and u64 are never among them.
enum class ElementTypes : uint8_t {
  all,
  numbers,   ///< all but bool
  floating,  ///< the floating types
  boolean,   ///< bool alone
};

/// The shape rule of operations that work element by element: the inputs broadcast, and the output lies in
/// memory as the first input of full shape does when that is dense (so channels-last stays channels-last),
/// else row-major. Throws ShapeError where the shapes do not agree.
ESPALIER_API OutputSpec broadcast_spec(std::string_view name, Inputs inputs, Dtype output);
/// The same for inputs of one type; throws TypeError where they are of several.
ESPALIER_API OutputSpec elementwise_spec(std::string_view name, Inputs inputs, Dtype output);
/// The same with an output of the inputs' type, which must be one of `types`; throws TypeError otherwise.
ESPALIER_API OutputSpec elementwise_spec(std::string_view name, Inputs inputs, ElementTypes types);

/// Every axis of every input that is not broadcast shrinks with the output's.
ESPALIER_API std::vector<AxisTie> elementwise_ties(Inputs inputs);

/// What operations that work element by element, from inputs of one type to an output of that type, have in
/// common: `class Exp final : public OperationOf<Exp, Elementwise<ElementTypes::floating>>`.
template <ElementTypes types = ElementTypes::all>
class Elementwise : public Operation {
 public:
  static constexpr ElementTypes kTypes = types;

  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    outputs.push_back(elementwise_spec(name(), inputs, types));
  }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override { return elementwise_ties(inputs); }
};

/// The same for operations that put out bools: comparisons and other questions, which have no gradient.
template <ElementTypes types = ElementTypes::all>
class ElementwisePredicate : public Elementwise<types> {
 public:
  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    Elementwise<types>::infer(inputs, outputs);
    outputs.back().dtype = Dtype::boolean;
  }
  bool differentiable(int) const override { return false; }
};

}  // namespace espalier
