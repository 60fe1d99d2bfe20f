#pragma once

#include <string_view>

#include "core/tensor.h"

namespace espalier {

// What gathering and scattering have in common, for the inside of a CPU kernel. `index` (i32 or i64) and
// `values` have one shape; element p of `values` belongs to the element of `table` whose coordinate along
// `axis` is index[p] and whose others are p's. `table` is at least as long as `values` along the other axes.
// Any layouts, but for a table that is written, which is row-major. All return false where an index is
// outside the axis; what they wrote is undefined then.
//
// The elements of a written table that differ only along `axis` are seen by one thread, in the order of the
// axis, so that results are the same for any number of threads.

/// values[p] = the table's element.
[[nodiscard]] bool gather_elements(const Tensor& values, const Tensor& table, int axis, const Tensor& index);
/// The table = `from`, then its elements = values[p]; the last one along the axis stays.
[[nodiscard]] bool scatter_elements(const Tensor& table, const Tensor& from, int axis, const Tensor& index,
                                    const Tensor& values);
/// The table = `from`, or zeros where that is undefined; then its elements += values[p]. Bools are or-ed,
/// integers wrap, the floating types narrower than f32 add up in f32, in `scratch`, which has
/// scratch_to_add().
[[nodiscard]] bool add_elements(const Tensor& table, const Tensor& from, int axis, const Tensor& index,
                                const Tensor& values, void* scratch);
size_t scratch_to_add(const Tensor& table, const Tensor& from, const Tensor& values);

/// to[i] += from[i], vectorised.
void add_row(float* to, const float* from, int64_t size);
void add_row(double* to, const double* from, int64_t size);

/// Throws ValueError, on behalf of `name`, for the first index in row-major order that is outside [0, size).
void throw_outside(std::string_view name, const Tensor& index, int64_t size, int axis);

}  // namespace espalier
