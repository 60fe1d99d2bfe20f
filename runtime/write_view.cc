#include "core/error.h"
#include "core/strided_copy_internal.h"
#include "runtime/write_view_internal.h"

namespace espalier::runtime {
namespace {

void write_view(const WriteView& operation, Inputs inputs, Outputs) {
  const Tensor& part = inputs[1];
  const size_t element = size_of(part.dtype());
  char* const target = static_cast<char*>(inputs[0].body().storage->data()) +
                       operation.offset() * static_cast<int64_t>(element);
  if (target == part.raw_data()) return;
  copy_strided(target, operation.strides(), part.raw_data(), part.strides(), part.shape(), element);
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
