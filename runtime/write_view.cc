#include "core/error.h"
#include "ops/copy.h"
#include "runtime/write_view_internal.h"

namespace espalier::runtime {
namespace {

void write_view(const WriteView& operation, Inputs inputs, Outputs) {
  const Tensor target = operation.part_of(inputs[0]);
  if (target.raw_data() != inputs[1].raw_data()) copy_(target, inputs[1]);
}

constexpr Kernel kKernels[] = {kernel<WriteView, write_view>("copy")};

}  // namespace

constinit KernelSlot WriteView::slot{kKernels};

void WriteView::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[1].shape() != shape_ || inputs[1].dtype() != inputs[0].dtype()) {
    throw ShapeError(kName, "the part is " + describe(inputs[1]) + "; expected " +
                                std::string(to_string(inputs[0].dtype())) + to_string(shape_));
  }
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

}  // namespace espalier::runtime
