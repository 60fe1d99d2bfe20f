#include <array>
#include <type_traits>

#include "core/parallel.h"
#include "ops/along_axis_internal.h"
#include "ops/cumsum.h"
#include "ops/elementwise_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// A step of a scan costs the latency of an addition; so many independent ones side by side hide it.
constexpr size_t kChains = 4;
/// Longer rows are cut into segments of this length, which first are added up each by itself. Fixed, so that
/// results do not depend on the number of threads; long enough that the sums before a segment cost little.
constexpr int64_t kSegment = 4096;

/// Sums and products; integers wrap.
struct Plus {
  template <class C>
  static C combine(C a, C b) {
    if constexpr (std::is_integral_v<C>)
      return static_cast<C>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    else
      return a + b;
  }
  static constexpr int kIdentity = 0;
};
struct Times {
  template <class C>
  static C combine(C a, C b) {
    if constexpr (std::is_integral_v<C>)
      return static_cast<C>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    else
      return a * b;
  }
  static constexpr int kIdentity = 1;
};

/// Scans `n` elements of each chain, `step` apart, on from `totals`; without storing where `to` is null.
template <class Op, class C, class E, size_t N>
void scan(const std::array<const E*, kChains>& from, const std::array<E*, kChains>& to, int64_t n,
          int64_t step, C* totals) {
  std::array<C, N> total;
  for (size_t c = 0; c < N; ++c) total[c] = totals[c];
  const bool stores = to[0] != nullptr;
  for (int64_t i = 0; i < n; ++i) {
    for (size_t c = 0; c < N; ++c) {
      total[c] = Op::combine(total[c], static_cast<C>(from[c][i * step]));
      if (stores) to[c][i * step] = static_cast<E>(total[c]);
    }
  }
  for (size_t c = 0; c < N; ++c) totals[c] = total[c];
}

/// A scan of row-major memory in type C. Elements are of type E where both tensors are, else converted.
template <class Op, class C, class E>
class Scan {
 public:
  Scan(const Tensor& output, const Tensor& input, const AxisSlices& slices, bool reverse)
      : output_(output), input_(input), slices_(slices), n_(slices.size()), reverse_(reverse) {
    direct_ = input.dtype() == dtype_of<E>() && output.dtype() == dtype_of<E>();
  }

  void run() const {
    if (slices_.inner() > 1)
      run_columns();
    else
      run_rows();
  }

 private:
  const char* from(int64_t offset) const {
    return static_cast<const char*>(input_.raw_data()) +
           offset * static_cast<int64_t>(size_of(input_.dtype()));
  }
  char* to(int64_t offset) const {
    return static_cast<char*>(output_.raw_data()) + offset * static_cast<int64_t>(size_of(output_.dtype()));
  }

  /// Neighbouring columns side by side.
  void run_columns() const {
    const int64_t inner = slices_.inner(), chunks = (inner + kTile - 1) / kTile;
    const int64_t work = n_ * std::min(inner, kTile) * 2;
    parallel_for(0, slices_.outer() * chunks, std::max<int64_t>(1, kSerialWork / work),
                 [&](int64_t first, int64_t last) {
                   C totals[kTile], tile[kTile];
                   for (int64_t i = first; i < last; ++i) {
                     const int64_t column = i % chunks * kTile, width = std::min(kTile, inner - column);
                     std::fill_n(totals, kTile, C{Op::kIdentity});
                     for (int64_t j = 0; j < n_; ++j) {
                       const int64_t row = reverse_ ? n_ - 1 - j : j;
                       const int64_t offset = (i / chunks * n_ + row) * inner + column;
                       load_tile(tile, input_.dtype(), from(offset), 1, width);
                       for (int64_t k = 0; k < width; ++k) totals[k] = Op::combine(totals[k], tile[k]);
                       store_tile(totals, output_.dtype(), to(offset), 1, width);
                     }
                   }
                 });
  }

  void run_rows() const {
    const int64_t segments = (n_ + kSegment - 1) / kSegment, chains = slices_.outer() * segments;
    const Tensor memory = full({chains}, Op::kIdentity, dtype_of<C>());
    C* const totals = static_cast<C*>(memory.raw_data());
    const auto scan_all = [&](bool stores) {
      constexpr auto kGroup = static_cast<int64_t>(kChains);
      const int64_t grain = std::max<int64_t>(1, kSerialWork / (kGroup * 4 * std::min(n_, kSegment)));
      parallel_for(0, (chains + kGroup - 1) / kGroup, grain, [&](int64_t first, int64_t last) {
        for (int64_t group = first; group < last; ++group)
          scan_group(group * kGroup, std::min(chains, (group + 1) * kGroup), segments, totals, stores);
      });
    };
    if (segments > 1) {
      scan_all(false);
      for (int64_t row = 0; row < slices_.outer(); ++row) {
        C before{Op::kIdentity};
        for (int64_t s = 0; s < segments; ++s) {
          const C own = totals[row * segments + s];
          totals[row * segments + s] = before;
          before = Op::combine(before, own);
        }
      }
    }
    scan_all(true);
  }

  int64_t length(int64_t segment) const { return std::min(kSegment, n_ - segment * kSegment); }

  void scan_group(int64_t first, int64_t last, int64_t segments, C* totals, bool stores) const {
    std::array<int64_t, kChains> offsets;
    bool same = last - first == static_cast<int64_t>(kChains);
    for (int64_t chain = first; chain < last; ++chain) {
      const int64_t segment = chain % segments, begin = chain / segments * n_;
      offsets[static_cast<size_t>(chain - first)] =
          reverse_ ? begin + n_ - 1 - segment * kSegment : begin + segment * kSegment;
      same = same && length(segment) == length(first % segments);
    }
    if (same) {
      scan_chains<kChains>(offsets, length(first % segments), totals + first, stores);
    } else {
      for (int64_t chain = first; chain < last; ++chain) {
        scan_chains<1>({offsets[static_cast<size_t>(chain - first)]}, length(chain % segments),
                       totals + chain, stores);
      }
    }
  }

  template <size_t N>
  void scan_chains(const std::array<int64_t, kChains>& offsets, int64_t n, C* totals, bool stores) const {
    const int64_t step = reverse_ ? -1 : 1;
    if (direct_) {
      std::array<const E*, kChains> in{};
      std::array<E*, kChains> out{};
      for (size_t c = 0; c < N; ++c) {
        in[c] = reinterpret_cast<const E*>(from(offsets[c]));
        if (stores) out[c] = reinterpret_cast<E*>(to(offsets[c]));
      }
      scan<Op, C, E, N>(in, out, n, step, totals);
      return;
    }
    C tiles[N][kTile];
    for (int64_t begin = 0; begin < n; begin += kTile) {
      const int64_t count = std::min(kTile, n - begin);
      std::array<const C*, kChains> in{};
      std::array<C*, kChains> out{};
      for (size_t c = 0; c < N; ++c) {
        load_tile(tiles[c], input_.dtype(), from(offsets[c] + begin * step), step, count);
        in[c] = out[c] = tiles[c];
      }
      scan<Op, C, C, N>(in, out, count, 1, totals);
      for (size_t c = 0; stores && c < N; ++c)
        store_tile(tiles[c], output_.dtype(), to(offsets[c] + begin * step), step, count);
    }
  }

  const Tensor &output_, &input_;
  AxisSlices slices_;
  int64_t n_;
  bool reverse_, direct_;
};

template <class Op>
void run_scan(const Tensor& output, const Tensor& input, const AxisSlices& slices, bool reverse) {
  if (output.numel() == 0) return;
  const Tensor x = row_major(input);
  if (!is_floating(x.dtype()))
    Scan<Op, int64_t, int64_t>(output, x, slices, reverse).run();
  else if (x.dtype() == Dtype::f32)
    Scan<Op, double, float>(output, x, slices, reverse).run();
  else
    Scan<Op, double, double>(output, x, slices, reverse).run();
}

/// With p the product before an element and s = g + x' s' from behind it (x' and s' are those of the next
/// element), the gradient is p s.
void cumprod_gradient(const double* gradient, const double* x, double* result, int64_t n) {
  double after = 0, next = 0;
  for (int64_t i = n; i-- > 0;) {
    after = gradient[i] + next * after;
    next = x[i];
    result[i] = after;
  }
  double before = 1;
  for (int64_t i = 0; i < n; ++i) {
    result[i] *= before;
    before *= x[i];
  }
}

}  // namespace

void cumsum_cpu(const CumulativeSum& op, Inputs inputs, Outputs outputs) {
  run_scan<Plus>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()), op.reverse());
}

void cumprod_cpu(const CumulativeProduct& op, Inputs inputs, Outputs outputs) {
  run_scan<Times>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()), false);
}

void cumprod_backward_cpu(const CumulativeProductBackward& op, Inputs inputs, Outputs outputs) {
  const Tensor &gradient = inputs[0], &x = inputs[1], &output = outputs[0];
  if (x.numel() == 0) return;
  const AxisSlices slices(x.shape(), op.axis(), op.name());
  const int64_t n = slices.size();
  const auto at = [&](const Tensor& tensor, int64_t slice) {
    return static_cast<char*>(tensor.raw_data()) +
           slices.offset(tensor.strides(), slice) * static_cast<int64_t>(size_of(tensor.dtype()));
  };
  // 16: two chains of a multiplication and an addition, which wait for each other, and conversions.
  parallel_for(0, slices.count(), std::max<int64_t>(1, kSerialWork / 16 / n),
               [&](int64_t first, int64_t last) {
                 const Tensor memory = empty({3, n}, Dtype::f64);
                 auto* const g = static_cast<double*>(memory.raw_data());
                 for (int64_t slice = first; slice < last; ++slice) {
                   load_tile(g, gradient.dtype(), at(gradient, slice), slices.step(gradient.strides()), n);
                   load_tile(g + n, x.dtype(), at(x, slice), slices.step(x.strides()), n);
                   cumprod_gradient(g, g + n, g + 2 * n, n);
                   store_tile(g + 2 * n, output.dtype(), at(output, slice), slices.step(output.strides()), n);
                 }
               });
}

}  // namespace espalier
