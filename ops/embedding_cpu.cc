#include <algorithm>
#include <cstring>
#include <string>

#include "core/parallel.h"
#include "ops/embedding.h"
#include "ops/scratch_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/embedding_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// to[index[n], begin .. begin + width) += from[n, the same columns] for all n in turn.
template <class T, class Index>
HWY_ATTR void add_columns(T* to, const T* from, const Index* index, int64_t count, int64_t columns,
                          int64_t begin, int64_t width) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto rest = hn::FirstN(d, static_cast<size_t>(width % lanes));
  for (int64_t n = 0; n < count; ++n) {
    T* sum = to + static_cast<int64_t>(index[n]) * columns + begin;
    const T* row = from + n * columns + begin;
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes)
      hn::StoreU(hn::Add(hn::LoadU(d, sum + i), hn::LoadU(d, row + i)), d, sum + i);
    if (i < width) {
      const auto total = hn::Add(load_first(rest, d, sum + i), load_first(rest, d, row + i));
      hn::BlendedStore(total, rest, d, sum + i);
    }
  }
}

/// `out`, zero so far, [index[n], :] += gradient[n, :] for all n. Threads take columns, so that each element
/// is a sum in the order of the indices.
template <class T, class Index>
void scatter_add(const Tensor& out, const Tensor& gradient, const Tensor& indices) {
  const auto* index = static_cast<const Index*>(indices.raw_data());
  const auto* from = static_cast<const T*>(gradient.raw_data());
  auto* to = static_cast<T*>(out.raw_data());
  const int64_t columns = out.shape()[1], count = indices.numel();
  constexpr int64_t kLine = 64 / sizeof(T);  // columns of a cache line, which no two threads should share
  parallel_for(0, (columns + kLine - 1) / kLine, std::max<int64_t>(1, kSerialWork / (kLine * (count + 1))),
               [&](int64_t first, int64_t last) {
                 const int64_t begin = first * kLine;
                 add_columns(to, from, index, count, columns, begin, std::min(last * kLine, columns) - begin);
               });
}

void scatter_add_kernel(const Tensor& out, const Tensor& gradient, const Tensor& indices) {
  const bool wide = indices.dtype() == Dtype::i64;
  if (out.dtype() == Dtype::f64)
    return wide ? scatter_add<double, int64_t>(out, gradient, indices)
                : scatter_add<double, int32_t>(out, gradient, indices);
  return wide ? scatter_add<float, int64_t>(out, gradient, indices)
              : scatter_add<float, int32_t>(out, gradient, indices);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

/// Throws ValueError for the first index outside [0, rows).
template <class Index>
void check_range(std::string_view name, const Tensor& indices, int64_t rows) {
  const auto* index = static_cast<const Index*>(indices.raw_data());
  // A loop without a way out is vectorised; a negative index is a large unsigned one.
  uint64_t largest = 0;
  for (int64_t n = 0; n < indices.numel(); ++n)
    largest = std::max(largest, static_cast<uint64_t>(static_cast<int64_t>(index[n])));
  if (indices.numel() == 0 || largest < static_cast<uint64_t>(rows)) return;
  const Index* wrong = std::find_if(index, index + indices.numel(),
                                    [rows](Index i) { return i < 0 || static_cast<int64_t>(i) >= rows; });
  throw ValueError(name, "index " + std::to_string(*wrong) + " at position " + std::to_string(wrong - index) +
                             " of " + describe(indices) + " (in row-major order) is outside the " +
                             std::to_string(rows) + " rows of the weights");
}

void check_range(std::string_view name, const Tensor& indices, int64_t rows) {
  if (indices.dtype() == Dtype::i64)
    check_range<int64_t>(name, indices, rows);
  else
    check_range<int32_t>(name, indices, rows);
}

template <class Index>
void copy_rows(const Tensor& out, const Tensor& weights, const Tensor& indices) {
  const size_t bytes = static_cast<size_t>(weights.shape()[1]) * size_of(weights.dtype());
  if (bytes == 0) return;
  const auto* from = static_cast<const char*>(weights.raw_data());
  const auto* index = static_cast<const Index*>(indices.raw_data());
  auto* to = static_cast<char*>(out.raw_data());
  // Four bytes are a simple operation of kSerialWork.
  const auto grain = std::max<int64_t>(1, 4 * kSerialWork / static_cast<int64_t>(bytes));
  parallel_for(0, indices.numel(), grain, [&](int64_t first, int64_t last) {
    for (int64_t n = first; n < last; ++n)
      std::memcpy(to + static_cast<size_t>(n) * bytes, from + static_cast<size_t>(index[n]) * bytes, bytes);
  });
}

void fill_with_zeros(const Tensor& tensor) {
  auto* to = static_cast<char*>(tensor.raw_data());
  const auto bytes = tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  parallel_for(0, bytes, 4 * kSerialWork, [&](int64_t first, int64_t last) {
    std::memset(to + first, 0, static_cast<size_t>(last - first));
  });
}

HWY_EXPORT(scatter_add_kernel);

}  // namespace

size_t embedding_scratch(const Embedding&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  for (const Tensor& input : inputs) in_row_major(input, counter);
  return counter.bytes();
}

void embedding_cpu(const Embedding&, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace work(scratch);
  const LocalTensor weights = in_row_major(inputs[0], work), indices = in_row_major(inputs[1], work);
  check_range(Embedding::kName, indices, weights->shape()[0]);
  if (indices->dtype() == Dtype::i64)
    copy_rows<int64_t>(outputs[0], weights, indices);
  else
    copy_rows<int32_t>(outputs[0], weights, indices);
}

namespace {

class EmbeddingGradient {
 public:
  EmbeddingGradient(const EmbeddingBackward&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : out_(outputs[0]),
        narrow_(size_of(out_.dtype()) < size_of(Dtype::f32)),
        indices_(in_row_major(inputs[1], work)),
        gradient_(narrow_ ? in_row_major_f32(inputs[0], work) : in_row_major(inputs[0], work)),
        sums_(narrow_ ? local_tensor(out_.shape(), Dtype::f32, work) : LocalTensor(out_)) {}

  void run() const {
    check_range(EmbeddingBackward::kName, indices_, out_.shape()[0]);
    fill_with_zeros(sums_);
    ESPALIER_DISPATCH(scatter_add_kernel)(sums_, gradient_, indices_);
    if (narrow_) convert_floats(sums_, out_);
  }

 private:
  const Tensor& out_;
  bool narrow_;  ///< narrow types are added up in f32
  LocalTensor indices_, gradient_, sums_;
};

}  // namespace

size_t embedding_backward_scratch(const EmbeddingBackward& op, Inputs inputs,
                                  std::span<const Tensor> outputs) {
  return scratch_of<EmbeddingGradient>(op, inputs, outputs);
}
void embedding_backward_cpu(const EmbeddingBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<EmbeddingGradient>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
#endif
