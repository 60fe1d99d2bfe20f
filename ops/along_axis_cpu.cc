#include <cstring>
#include <string>

#include "core/parallel.h"
#include "ops/along_axis_internal.h"

namespace espalier {
namespace {

/// Calls `f` with the tag of an unsigned type of as many bytes as an element has: moving needs no more.
template <class F>
void visit_size(Dtype dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1:
      return f(TypeTag<uint8_t>());
    case 2:
      return f(TypeTag<uint16_t>());
    case 4:
      return f(TypeTag<uint32_t>());
    default:
      return f(TypeTag<uint64_t>());
  }
}

/// Moves an element for every index: from the place along the axis that it names into the list, or back.
/// Throws ValueError for an index outside the axis.
template <class T, bool kTake>
void move_elements(std::string_view name, int64_t axis, const Tensor& output, Inputs inputs) {
  const Tensor &picked = kTake ? inputs[0] : output, &list = kTake ? output : inputs[0];
  const Tensor& indices = inputs[1];
  const AxisSlices slices(indices.shape(), axis, name);
  const int64_t size = AxisSlices(picked.shape(), axis, name).size(), n = slices.size();
  const int64_t picked_step = slices.step(picked.strides()), list_step = slices.step(list.strides()),
                index_step = slices.step(indices.strides());
  // 8: a load that depends on another, from first- or second-level cache.
  const int64_t grain = std::max<int64_t>(1, kSerialWork / 8 / std::max<int64_t>(n, 1));
  parallel_for(0, slices.count(), grain, [&](int64_t first, int64_t last) {
    for (int64_t slice = first; slice < last; ++slice) {
      T* const pick = static_cast<T*>(picked.raw_data()) + slices.offset(picked.strides(), slice);
      T* const at = static_cast<T*>(list.raw_data()) + slices.offset(list.strides(), slice);
      const auto* const index =
          static_cast<const int64_t*>(indices.raw_data()) + slices.offset(indices.strides(), slice);
      for (int64_t i = 0; i < n; ++i) {
        const int64_t place = index[i * index_step];
        if (place < 0 || place >= size) {
          throw ValueError(name, "index " + std::to_string(place) + " is outside [0, " +
                                     std::to_string(size) + "), in " + describe(inputs));
        }
        if constexpr (kTake)
          at[i * list_step] = pick[place * picked_step];
        else
          pick[place * picked_step] = at[i * list_step];
      }
    }
  });
}

}  // namespace

void take_along_axis_cpu(const TakeAlongAxis& op, Inputs inputs, Outputs outputs) {
  visit_size(outputs[0].dtype(), [&](auto tag) {
    move_elements<typename decltype(tag)::type, true>(op.name(), op.axis(), outputs[0], inputs);
  });
}

void put_along_axis_cpu(const PutAlongAxis& op, Inputs inputs, Outputs outputs) {
  const Tensor& output = outputs[0];
  if (output.numel() > 0)
    std::memset(output.raw_data(), 0, static_cast<size_t>(output.numel()) * size_of(output.dtype()));
  visit_size(output.dtype(), [&](auto tag) {
    move_elements<typename decltype(tag)::type, false>(op.name(), op.axis(), output, inputs);
  });
}

}  // namespace espalier
