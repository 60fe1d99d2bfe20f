#include <array>
#include <type_traits>

#include "core/parallel.h"
#include "ops/along_axis_internal.h"
#include "ops/cumsum.h"
#include "ops/elementwise_internal.h"
#include "ops/parts_internal.h"
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
  Scan(const Tensor& output, const Tensor& input, const AxisSlices& slices, bool reverse, Workspace& work)
      : output_(output),
        copied_(in_row_major(input, work)),
        slices_(slices),
        n_(slices.size()),
        reverse_(reverse),
        totals_(slices.inner() > 1 ? nullptr : work.take<C>(chains())) {
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
    const int64_t segments = segments_of_row(), chains = this->chains();
    C* const totals = totals_;
    std::fill_n(totals, chains, C{Op::kIdentity});
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

  int64_t segments_of_row() const { return (n_ + kSegment - 1) / kSegment; }
  int64_t chains() const { return slices_.outer() * segments_of_row(); }
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

  const Tensor& output_;
  LocalTensor copied_;
  const Tensor& input_ = copied_;
  AxisSlices slices_;
  int64_t n_;
  bool reverse_, direct_;
  C* totals_;  ///< of the chains of rows
};

/// Calls `use` with the tag of the Scan for a type.
template <class Op, class Use>
auto visit_scan(Dtype dtype, const Use& use) {
  if (!is_floating(dtype)) return use(TypeTag<Scan<Op, int64_t, int64_t>>());
  if (dtype == Dtype::f32) return use(TypeTag<Scan<Op, double, float>>());
  return use(TypeTag<Scan<Op, double, double>>());
}

template <class Op>
size_t bytes_of_scan(const Tensor& output, const Tensor& input, const AxisSlices& slices, bool reverse) {
  if (output.numel() == 0) return 0;
  return visit_scan<Op>(input.dtype(), [&](auto tag) {
    return scratch_of<typename decltype(tag)::type>(output, input, slices, reverse);
  });
}

template <class Op>
void run_scan(const Tensor& output, const Tensor& input, const AxisSlices& slices, bool reverse,
              void* scratch) {
  if (output.numel() == 0) return;
  visit_scan<Op>(input.dtype(), [&](auto tag) {
    run_with<typename decltype(tag)::type>(scratch, output, input, slices, reverse);
  });
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

/// Slices are gathered in f64 in memory of each part's own.
class CumprodBackwardWork {
 public:
  CumprodBackwardWork(const CumulativeProductBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                      Workspace& work)
      : gradient_(inputs[0]),
        x_(inputs[1]),
        output_(outputs[0]),
        slices_(x_.shape(), op.axis(), op.name()),
        n_(slices_.size()),
        // 16: two chains of a multiplication and an addition, which wait for each other, and conversions.
        parts_(x_.numel() == 0 ? 0 : slices_.count(), kSerialWork / 16 / std::max<int64_t>(n_, 1)),
        memory_(work.take<double>(parts_.count() * Parts::apart<double>(3 * n_))) {}

  void run() const {
    parts_.run([&](int64_t part, int64_t first, int64_t last) {
      double* const g = memory_ + part * Parts::apart<double>(3 * n_);
      for (int64_t slice = first; slice < last; ++slice) {
        load(gradient_, slice, g);
        load(x_, slice, g + n_);
        cumprod_gradient(g, g + n_, g + 2 * n_, n_);
        store_tile(g + 2 * n_, output_.dtype(), at(output_, slice), slices_.step(output_.strides()), n_);
      }
    });
  }

 private:
  char* at(const Tensor& tensor, int64_t slice) const {
    return static_cast<char*>(tensor.raw_data()) +
           slices_.offset(tensor.strides(), slice) * static_cast<int64_t>(size_of(tensor.dtype()));
  }
  void load(const Tensor& tensor, int64_t slice, double* to) const {
    load_tile(to, tensor.dtype(), at(tensor, slice), slices_.step(tensor.strides()), n_);
  }

  const Tensor &gradient_, &x_, &output_;
  AxisSlices slices_;
  int64_t n_;
  Parts parts_;
  double* memory_;
};

}  // namespace

size_t cumsum_scratch(const CumulativeSum& op, Inputs inputs, std::span<const Tensor> outputs) {
  return bytes_of_scan<Plus>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()),
                             op.reverse());
}
void cumsum_cpu(const CumulativeSum& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_scan<Plus>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()), op.reverse(),
                 scratch);
}

size_t cumprod_scratch(const CumulativeProduct& op, Inputs inputs, std::span<const Tensor> outputs) {
  return bytes_of_scan<Times>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()),
                              false);
}
void cumprod_cpu(const CumulativeProduct& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_scan<Times>(outputs[0], inputs[0], AxisSlices(inputs[0].shape(), op.axis(), op.name()), false, scratch);
}

size_t cumprod_backward_scratch(const CumulativeProductBackward& op, Inputs inputs,
                                std::span<const Tensor> outputs) {
  return scratch_of<CumprodBackwardWork>(op, inputs, outputs);
}
void cumprod_backward_cpu(const CumulativeProductBackward& op, Inputs inputs, Outputs outputs,
                          void* scratch) {
  run_with<CumprodBackwardWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
