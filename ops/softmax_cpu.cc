// Vectors along the last axis in memory are walked in vectors; along another axis, neighbours are computed
// side by side. Narrow types, and vectors with too few neighbours, are gathered in scratch memory first.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "ops/elementwise_internal.h"
#include "ops/parts_internal.h"
#include "ops/scratch_internal.h"
#include "ops/softmax.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/softmax_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

#ifndef ESPALIER_SOFTMAX_CPU_CC_
#define ESPALIER_SOFTMAX_CPU_CC_
namespace espalier {

/// Simple operations an element: a comparison, an exponential (about eight), an addition, a product, and the
/// three passes' memory.
inline constexpr int64_t kSoftmaxWork = 12;
/// Neighbours side by side: four cache lines of f32.
inline constexpr int64_t kSoftmaxColumns = 64;
/// Fewer neighbours than these fill vectors too badly.
inline constexpr int64_t kFewColumns = 8;
/// Elements of scratch, 128 KiB of f32: they stay in a second-level cache.
inline constexpr int64_t kSoftmaxScratch = 32768;
/// Exponentials that are added up in C; the sums of such blocks are added in f64.
inline constexpr int64_t kSoftmaxBlock = 4096;

/// How the vectors lie in dense memory: `outer` blocks of `size` rows of `inner` neighbours. A slab is up to
/// `width` neighbouring vectors of a block.
struct Slabs {
  int64_t size, inner, outer, width, pieces;
  bool direct;  ///< walked where they lie

  Slabs(const Tensor& like, int64_t axis) {
    const bool narrow = size_of(like.dtype()) < size_of(Dtype::f32);
    const int rank = like.rank();
    const int index = rank == 0 ? 0 : normalize_axis(axis, rank, "softmax");
    size = rank == 0 ? 1 : like.shape()[index];
    inner = size == 1 ? 1 : like.strides()[index];  // the stride of a single element may be anything
    outer = like.numel() / (size * inner);
    direct = !narrow && (inner == 1 || inner >= kFewColumns);
    const int64_t limit =
        direct ? kSoftmaxColumns : std::clamp(kSoftmaxScratch / size, kFewColumns, kSoftmaxColumns);
    width = inner < kFewColumns ? 1 : std::min(inner, limit);
    pieces = (inner + width - 1) / width;
  }
  int64_t count() const { return outer * pieces; }
  Parts parts() const { return {count(), kSerialWork / (kSoftmaxWork * size * width)}; }
  /// A piece of `work` to gather `inputs` of the type of `like`, computed in f32 at least.
  void* take_memory(int64_t inputs, const Tensor& like, Workspace& work) const {
    const int64_t elements = parts().count() * inputs * gathered();
    if (like.dtype() == Dtype::f64) return work.take<double>(elements);
    return work.take<float>(elements);
  }
  /// Elements that are gathered from each input for a slab; 0 where none are.
  int64_t gathered() const { return direct ? 0 : Parts::apart<float>(size * width); }
};

inline char* softmax_element(const Tensor& tensor, int64_t offset) {
  return static_cast<char*>(tensor.raw_data()) + offset * static_cast<int64_t>(size_of(tensor.dtype()));
}

}  // namespace espalier
#endif

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class C>
using D = hn::ScalableTag<C>;
template <class C>
using V = hn::Vec<D<C>>;

/// Calls `f(i, load, store)` for the vectors that cover [first, last); lanes past the end read as `fill` and
/// are not written.
template <class C, class F>
HWY_INLINE void for_each_vector(int64_t first, int64_t last, C fill, const F& f) {
  const D<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = first;
  for (; i + lanes <= last; i += lanes) {
    f([&](const C* p) HWY_ATTR { return hn::LoadU(d, p + i); },
      [&](V<C> v, C* p) HWY_ATTR { hn::StoreU(v, d, p + i); });
  }
  if (i < last) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(last - i));
    f([&](const C* p) HWY_ATTR { return hn::IfThenElse(rest, load_first(rest, d, p + i), hn::Set(d, fill)); },
      [&](V<C> v, C* p) HWY_ATTR { hn::BlendedStore(v, rest, d, p + i); });
  }
}

template <class C>
HWY_ATTR C largest_of(const C* x, int64_t n) {
  const D<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr C kLeast = -std::numeric_limits<C>::infinity();
  auto a = hn::Set(d, kLeast), b = a, c = a, e = a;  // several hide the latency
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Max(a, hn::LoadU(d, x + i));
    b = hn::Max(b, hn::LoadU(d, x + i + lanes));
    c = hn::Max(c, hn::LoadU(d, x + i + 2 * lanes));
    e = hn::Max(e, hn::LoadU(d, x + i + 3 * lanes));
  }
  for_each_vector<C>(i, n, kLeast, [&](const auto& load, const auto&) HWY_ATTR { a = hn::Max(a, load(x)); });
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(hn::Max(a, b), hn::Max(c, e))));
}

/// The sum of e^(x - top); without `log`, the terms go to `y`, too. A NaN, whatever it does to the maximum,
/// makes the sum NaN.
template <class C, bool log>
HWY_ATTR C exponential_sum(const C* x, int64_t n, C top, C* y) {
  const D<C> d;
  constexpr C kLeast = -std::numeric_limits<C>::infinity();
  const auto shift = hn::Set(d, top);
  double total = 0;
  for (int64_t first = 0; first < n; first += kSoftmaxBlock) {
    auto sum = hn::Zero(d);
    for_each_vector<C>(first, std::min(n, first + kSoftmaxBlock), kLeast,
                       [&](const auto& load, const auto& store) HWY_ATTR {
                         const auto e = vector_exp(d, hn::Sub(load(x), shift));
                         sum = hn::Add(sum, e);
                         if constexpr (!log) store(e, y);
                       });
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  return static_cast<C>(total);
}

/// `rows` vectors of `n` neighbours one behind the other; `y` may be `x`. Short ones go through each step
/// together, so that one's sums across lanes do not wait for another's.
template <class C, bool log>
HWY_ATTR void softmax_rows(const C* x, int64_t rows, int64_t n, C* y) {
  const D<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr auto kLanes = static_cast<int64_t>(hn::MaxLanes(D<C>()));
  const int64_t together = std::clamp<int64_t>(kSoftmaxBlock / n, 1, lanes);
  HWY_ALIGN C tops[kLanes], sums[kLanes];
  std::fill_n(sums, kLanes, C{1});
  for (int64_t first = 0; first < rows; first += together) {
    const int64_t count = std::min(together, rows - first);
    for (int64_t r = 0; r < count; ++r) tops[r] = largest_of(x + r * n, n);
    for (int64_t r = 0; r < count; ++r) sums[r] = exponential_sum<C, log>(x + r * n, n, tops[r], y + r * n);
    const auto sum = hn::Load(d, sums);
    hn::Store(log ? vector_log(d, sum) : hn::Div(hn::Set(d, C{1}), sum), d, sums);
    for (int64_t r = 0; r < count; ++r) {
      const auto top = hn::Set(d, tops[r]), last = hn::Set(d, sums[r]);
      for_each_vector<C>(0, n, 0, [&](const auto& load, const auto& store) HWY_ATTR {
        store(log ? hn::Sub(hn::Sub(load(x + r * n), top), last) : hn::Mul(load(y + r * n), last), y + r * n);
      });
    }
    x += count * n;
    y += count * n;
  }
}

template <class C, bool log>
HWY_ATTR void gradient_row(const C* g, const C* y, int64_t n, C* dx) {
  const D<C> d;
  double total = 0;
  for (int64_t first = 0; first < n; first += kSoftmaxBlock) {
    auto sum = hn::Zero(d);
    for_each_vector<C>(first, std::min(n, first + kSoftmaxBlock), 0,
                       [&](const auto& load, const auto&) HWY_ATTR {
                         sum = log ? hn::Add(sum, load(g)) : hn::MulAdd(load(g), load(y), sum);
                       });
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  const auto sum = hn::Set(d, static_cast<C>(total));
  for_each_vector<C>(0, n, 0, [&](const auto& load, const auto& store) HWY_ATTR {
    if constexpr (log)
      store(hn::NegMulAdd(vector_exp(d, load(y)), sum, load(g)), dx);
    else
      store(hn::Mul(load(y), hn::Sub(load(g), sum)), dx);
  });
}

/// Calls `f(count, load, store)` for blocks of `count()` vectors, four or one, that cover `width` neighbours.
template <class C, class F>
HWY_INLINE void for_each_block(int64_t width, const F& f) {
  const D<C> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t first = 0;
  for (; first + 4 * lanes <= width; first += 4 * lanes) {
    f(
        std::integral_constant<int, 4>(),
        [&](const C* p, int k) HWY_ATTR { return hn::LoadU(d, p + first + k * lanes); },
        [&](V<C> v, C* p, int k) HWY_ATTR { hn::StoreU(v, d, p + first + k * lanes); });
  }
  for_each_vector<C>(first, width, 0, [&](const auto& load, const auto& store) HWY_ATTR {
    f(
        std::integral_constant<int, 1>(), [&](const C* p, int) HWY_ATTR { return load(p); },
        [&](V<C> v, C* p, int) HWY_ATTR { store(v, p); });
  });
}

/// `width` vectors side by side, whose elements are `step` apart; `y` may be `x`.
template <class C, bool log>
HWY_ATTR void softmax_columns(const C* x, int64_t n, int64_t step, int64_t width, C* y) {
  const D<C> d;
  for_each_block<C>(width, [&](auto count, const auto& load, const auto& store) HWY_ATTR {
    V<C> top[count()], sum[count()];
    for (int k = 0; k < count(); ++k) {
      top[k] = hn::Set(d, -std::numeric_limits<C>::infinity());
      sum[k] = hn::Zero(d);
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < count(); ++k) top[k] = hn::Max(top[k], load(x + i * step, k));
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < count(); ++k) {
        const auto e = vector_exp(d, hn::Sub(load(x + i * step, k), top[k]));
        sum[k] = hn::Add(sum[k], e);
        if constexpr (!log) store(e, y + i * step, k);
      }
    }
    for (int k = 0; k < count(); ++k) {
      sum[k] = log ? vector_log(d, sum[k]) : hn::Div(hn::Set(d, C{1}), sum[k]);
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < count(); ++k) {
        if constexpr (log)
          store(hn::Sub(hn::Sub(load(x + i * step, k), top[k]), sum[k]), y + i * step, k);
        else
          store(hn::Mul(load(y + i * step, k), sum[k]), y + i * step, k);
      }
    }
  });
}

template <class C, bool log>
HWY_ATTR void gradient_columns(const C* g, const C* y, int64_t n, int64_t step, int64_t width, C* dx) {
  const D<C> d;
  for_each_block<C>(width, [&](auto count, const auto& load, const auto& store) HWY_ATTR {
    V<C> sum[count()];
    for (int k = 0; k < count(); ++k) sum[k] = hn::Zero(d);
    for (int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < count(); ++k) {
        const auto gradient = load(g + i * step, k);
        sum[k] = log ? hn::Add(sum[k], gradient) : hn::MulAdd(gradient, load(y + i * step, k), sum[k]);
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < count(); ++k) {
        const auto gradient = load(g + i * step, k), result = load(y + i * step, k);
        if constexpr (log)
          store(hn::NegMulAdd(vector_exp(d, result), sum[k], gradient), dx + i * step, k);
        else
          store(hn::Mul(result, hn::Sub(gradient, sum[k])), dx + i * step, k);
      }
    }
  });
}

/// Reads a slab into scratch, or writes it back; returns the distance between a vector's elements there.
template <class C>
int64_t load_slab(const Slabs& slabs, const Tensor& from, int64_t offset, int64_t width, C* to) {
  if (slabs.width == 1) {
    load_tile(to, from.dtype(), softmax_element(from, offset), slabs.inner, slabs.size);
    return 1;
  }
  for (int64_t i = 0; i < slabs.size; ++i) {
    load_tile(to + i * width, from.dtype(), softmax_element(from, offset + i * slabs.inner), 1, width);
  }
  return width;
}

template <class C>
void store_slab(const Slabs& slabs, const C* from, int64_t width, const Tensor& to, int64_t offset) {
  if (slabs.width == 1) {
    store_tile(from, to.dtype(), softmax_element(to, offset), slabs.inner, slabs.size);
    return;
  }
  for (int64_t i = 0; i < slabs.size; ++i) {
    store_tile(from + i * width, to.dtype(), softmax_element(to, offset + i * slabs.inner), 1, width);
  }
}

/// Calls `rows(inputs, count, n, output)` or `columns(inputs, n, step, width, output)` for all slabs.
template <class C, size_t N, class Rows, class Columns>
void run_slabs(const Slabs& slabs, const std::array<Tensor, N>& inputs, const Tensor& output, C* memory,
               const Rows& rows, const Columns& columns) {
  slabs.parts().run([&](int64_t part, int64_t first, int64_t last) {
    const int64_t tile = slabs.gathered();
    C* const own = memory + part * static_cast<int64_t>(N) * tile;
    // Neighbouring vectors of neighbours make one slab.
    const int64_t count = slabs.direct && slabs.width == 1 ? last - first : 1;
    for (int64_t slab = first; slab < last; slab += count) {
      const int64_t column = slab % slabs.pieces * slabs.width;
      const int64_t offset = slab / slabs.pieces * slabs.size * slabs.inner + column;
      const int64_t width = std::min(slabs.width, slabs.inner - column);
      std::array<C*, N> from;
      int64_t step = slabs.inner;
      for (size_t i = 0; i < N; ++i) {
        if (slabs.direct) {
          from[i] = reinterpret_cast<C*>(softmax_element(inputs[i], offset));
        } else {
          from[i] = own + static_cast<int64_t>(i) * tile;
          step = load_slab(slabs, inputs[i], offset, width, from[i]);
        }
      }
      C* const to = slabs.direct ? reinterpret_cast<C*>(softmax_element(output, offset)) : from[0];
      if (slabs.width == 1)
        rows(from, count, slabs.size, to);
      else
        columns(from, slabs.size, step, width, to);
      if (!slabs.direct) store_slab(slabs, to, width, output, offset);
    }
  });
}

template <class C, bool log>
void forward(const Slabs& slabs, const Tensor& x, const Tensor& y, void* memory) {
  run_slabs<C, 1>(
      slabs, {x}, y, static_cast<C*>(memory),
      [](const std::array<C*, 1>& in, int64_t count, int64_t n, C* out) {
        softmax_rows<C, log>(in[0], count, n, out);
      },
      [](const std::array<C*, 1>& in, int64_t n, int64_t step, int64_t width, C* out) {
        softmax_columns<C, log>(in[0], n, step, width, out);
      });
}

template <class C, bool log>
void backward(const Slabs& slabs, const Tensor& g, const Tensor& y, const Tensor& dx, void* memory) {
  run_slabs<C, 2>(
      slabs, {g, y}, dx, static_cast<C*>(memory),
      [](const std::array<C*, 2>& in, int64_t count, int64_t n, C* out) {
        for (int64_t i = 0; i < count * n; i += n) gradient_row<C, log>(in[0] + i, in[1] + i, n, out + i);
      },
      [](const std::array<C*, 2>& in, int64_t n, int64_t step, int64_t width, C* out) {
        gradient_columns<C, log>(in[0], in[1], n, step, width, out);
      });
}

}  // namespace

template <bool log>
void forward_in_type(const Slabs& slabs, const Tensor& x, const Tensor& y, void* memory) {
  if (x.dtype() == Dtype::f64)
    forward<double, log>(slabs, x, y, memory);
  else
    forward<float, log>(slabs, x, y, memory);
}
template <bool log>
void backward_in_type(const Slabs& slabs, const Tensor& g, const Tensor& y, const Tensor& dx, void* memory) {
  if (g.dtype() == Dtype::f64)
    backward<double, log>(slabs, g, y, dx, memory);
  else
    backward<float, log>(slabs, g, y, dx, memory);
}

void softmax_kernel(bool log, const Slabs& slabs, const Tensor& x, const Tensor& y, void* memory) {
  log ? forward_in_type<true>(slabs, x, y, memory) : forward_in_type<false>(slabs, x, y, memory);
}
void softmax_backward_kernel(bool log, const Slabs& slabs, const Tensor& g, const Tensor& y, const Tensor& dx,
                             void* memory) {
  log ? backward_in_type<true>(slabs, g, y, dx, memory) : backward_in_type<false>(slabs, g, y, dx, memory);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(softmax_kernel);
HWY_EXPORT(softmax_backward_kernel);

template <bool log>
class SoftmaxWork {
 public:
  template <class Op>
  SoftmaxWork(const Op& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : x_(in_layout(inputs[0], outputs[0].strides(), work)), y_(outputs[0]) {
    if (y_.numel() == 0) return;
    slabs_.emplace(y_, op.axis());
    memory_ = slabs_->take_memory(1, y_, work);
  }
  void run() const {
    if (slabs_) ESPALIER_DISPATCH(softmax_kernel)(log, *slabs_, x_, y_, memory_);
  }

 private:
  LocalTensor x_;
  const Tensor& y_;
  std::optional<Slabs> slabs_;
  void* memory_ = nullptr;
};

template <bool log>
class SoftmaxBackwardWork {
 public:
  template <class Op>
  SoftmaxBackwardWork(const Op& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : g_(in_layout(inputs[0], outputs[0].strides(), work)),
        y_(in_layout(inputs[1], outputs[0].strides(), work)),
        dx_(outputs[0]) {
    if (dx_.numel() == 0) return;
    slabs_.emplace(dx_, op.axis());
    memory_ = slabs_->take_memory(2, dx_, work);
  }
  void run() const {
    if (slabs_) ESPALIER_DISPATCH(softmax_backward_kernel)(log, *slabs_, g_, y_, dx_, memory_);
  }

 private:
  LocalTensor g_, y_;
  const Tensor& dx_;
  std::optional<Slabs> slabs_;
  void* memory_ = nullptr;
};

}  // namespace

size_t softmax_scratch(const Softmax& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<SoftmaxWork<false>>(op, inputs, outputs);
}
void softmax_cpu(const Softmax& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SoftmaxWork<false>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t log_softmax_scratch(const LogSoftmax& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<SoftmaxWork<true>>(op, inputs, outputs);
}
void log_softmax_cpu(const LogSoftmax& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SoftmaxWork<true>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t softmax_backward_scratch(const SoftmaxBackward& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<SoftmaxBackwardWork<false>>(op, inputs, outputs);
}
void softmax_backward_cpu(const SoftmaxBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SoftmaxBackwardWork<false>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t log_softmax_backward_scratch(const LogSoftmaxBackward& op, Inputs inputs,
                                    std::span<const Tensor> outputs) {
  return scratch_of<SoftmaxBackwardWork<true>>(op, inputs, outputs);
}
void log_softmax_backward_cpu(const LogSoftmaxBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<SoftmaxBackwardWork<true>>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
#endif
