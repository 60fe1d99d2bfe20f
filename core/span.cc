#include "core/span.h"

#include "core/error.h"

namespace espalier {

void detail::check_spannable(const Tensor& tensor) {
  if (tensor.is_contiguous()) return;
  throw ShapeError("as_span", describe(tensor) + " with strides " + to_string(tensor.strides()) +
                                  " does not lie row-major in memory; make it contiguous first");
}

}  // namespace espalier
