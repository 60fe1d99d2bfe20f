#include <string>

#include "core/error.h"
#include "ops/narrow_types_internal.h"

namespace espalier {

WideOperands::WideOperands(Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
    : inputs_(inputs.size()), given_(outputs) {
  if (inputs.size() + outputs.size() > kMost) {
    throw ValueError("f32 operands", "there are " + std::to_string(inputs.size() + outputs.size()) +
                                         ", and at most " + std::to_string(kMost) +
                                         " are converted; raise WideOperands::kMost");
  }
  for (size_t i = 0; i < inputs.size(); ++i) add(i, inputs[i], true, work);
  for (size_t i = 0; i < outputs.size(); ++i) add(inputs_ + i, outputs[i], false, work);
}

void WideOperands::add(size_t place, const Tensor& given, bool reads, Workspace& work) {
  wide_[place] = given;
  if (!given.defined() || !is_narrow(given.dtype())) return;
  const Strides strides = dense_strides(given);
  void* const room = work.take<float>(given.numel());
  wide_[place] = made_[place].emplace(room, Dtype::f32, given.shape(), strides);
  if (room && reads) convert_floats(given, wide_[place]);
}

void WideOperands::store() const {
  for (size_t i = 0; i < given_.size(); ++i) {
    if (made_[inputs_ + i]) convert_floats(wide_[inputs_ + i], given_[i]);
  }
}

}  // namespace espalier
