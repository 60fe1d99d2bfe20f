#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "core/parallel.h"
#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

using Body = ElementwiseBody;

/// Calls `f` with the tag of a type that a body reads or writes.
template <class F>
void visit_operand(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::u8:
      return f(TypeTag<uint8_t>{});
    case Dtype::u16:
      return f(TypeTag<uint16_t>{});
    case Dtype::u32:
      return f(TypeTag<uint32_t>{});
    case Dtype::u64:
      return f(TypeTag<uint64_t>{});
    default:
      return visit_compute_type(dtype, f);
  }
}

/// Whether elements of a type are only moved.
constexpr bool is_moved(Dtype dtype) {
  return dtype == Dtype::u8 || dtype >= Dtype::u16;
}

/// What record_elementwise_body() waits for on this thread.
thread_local OwnedElementwiseBody* recorded = nullptr;

}  // namespace

void gather_operand(char* tile, Dtype operand, Dtype dtype, const char* data, int64_t stride, int64_t n) {
  visit_operand(operand, [&](auto tag) {
    using C = typename decltype(tag)::type;
    auto* const to = reinterpret_cast<C*>(tile);
    if constexpr (std::is_unsigned_v<C>) {
      const auto* const from = reinterpret_cast<const C*>(data);
      for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
    } else {
      load_tile(to, dtype, data, stride, n);
    }
  });
}

void scatter_operand(const char* tile, Dtype operand, Dtype dtype, char* data, int64_t stride, int64_t n) {
  visit_operand(operand, [&](auto tag) {
    using C = typename decltype(tag)::type;
    const auto* const from = reinterpret_cast<const C*>(tile);
    if constexpr (std::is_unsigned_v<C>) {
      auto* const to = reinterpret_cast<C*>(data);
      for (int64_t i = 0; i < n; ++i) to[i * stride] = from[i];
    } else {
      store_tile(from, dtype, data, stride, n);
    }
  });
}

bool is_operand(Dtype dtype, Dtype operand) noexcept {
  return dtype == operand || (is_moved(operand) && size_of(operand) == size_of(dtype));
}

namespace {

/// Fills a vector of `lanes` elements of type `operand` with the one at `from`.
void repeat(Dtype operand, const char* from, char* to, int64_t lanes) {
  visit_operand(operand, [&](auto tag) {
    using C = typename decltype(tag)::type;
    std::fill_n(reinterpret_cast<C*>(to), lanes, *reinterpret_cast<const C*>(from));
  });
}

/// Where all operands lie as the body wants them: each of its own type, and in a row neighbours or one
/// element.
void direct_rows(const Body& body, const ElementwiseLoop& loop, const ElementwiseRows& rows) {
  alignas(Body::kVectorBytes) char repeated[Body::kMaxInputs][Body::kVectorBytes];
  const int inputs = loop.operands - 1;
  Body::Walks walks{};
  Body::Places in{};
  std::array<int64_t, kMaxOperands> steps;
  for (int o = 0; o <= inputs; ++o) steps[static_cast<size_t>(o)] = loop.step(o);
  for (size_t i = 0; i < static_cast<size_t>(inputs); ++i) {
    walks[i] = loop.inner().strides[i + 1] == 0 ? 0 : -1;
    in[i] = walks[i] == 0 ? repeated[i] : rows.data[i + 1];
  }
  std::array<char*, kMaxOperands> data = rows.data;
  for (int64_t row = 0; row < rows.count; ++row) {
    for (size_t i = 0; i < static_cast<size_t>(inputs); ++i) {
      if (walks[i] != 0)
        in[i] = data[i + 1];
      else if (row == 0 || steps[i + 1] != 0)
        repeat(body.operands[i + 1], data[i + 1], repeated[i], body.lanes);
      data[i + 1] += steps[i + 1];
    }
    body.apply(body.functor, data[0], in, walks, rows.size);
    data[0] += steps[0];
  }
}

/// Rows that are gathered together where neighbours along them are neighbours in memory: a cache line of f32.
constexpr int64_t kBlockRows = 16;
/// Columns of such a block, which in f64 takes 8 KiB.
constexpr int64_t kBlockColumns = 64;

/// Reads `rows` x `n` elements, which are neighbours along the rows and `stride` apart along the columns, as
/// a body's operand: line by line of memory, into rows of kBlockColumns.
void gather_block(char* block, Dtype operand, Dtype dtype, const char* data, int64_t stride, int64_t rows,
                  int64_t n) {
  const int64_t step = stride * static_cast<int64_t>(size_of(dtype));
  visit_operand(operand, [&](auto tag) {
    using C = typename decltype(tag)::type;
    auto* const to = reinterpret_cast<C*>(block);
    C line[kBlockRows];
    for (int64_t i = 0; i < n; ++i) {
      const auto* from = reinterpret_cast<const C*>(data + i * step);
      if constexpr (!std::is_unsigned_v<C>) {
        if (dtype != operand) {
          load_tile(line, dtype, data + i * step, 1, rows);
          from = line;
        }
      }
      for (int64_t r = 0; r < rows; ++r) to[r * kBlockColumns + i] = from[r];
    }
  });
}

/// Tile by tile: operands that are not neighbours of the body's type are gathered, and converted, on their
/// way.
class TiledRows {
 public:
  TiledRows(const Body& body, const ElementwiseLoop& loop)
      : body_(body), loop_(loop), operands_(static_cast<size_t>(loop.operands)) {
    for (size_t o = 0; o < operands_; ++o) {
      direct_[o] = loop.dtypes[o] == body.operands[o] && stride(o) == 1;
      transposed_[o] = o > 0 && !direct_[o] && stride(o) != 0 && step(o) == bytes(o);
      any_transposed_ |= transposed_[o];
    }
  }

  void run(const ElementwiseRows& rows) {
    const int64_t height = any_transposed_ ? kBlockRows : 1;
    const int64_t width = any_transposed_ ? kBlockColumns : kTile;
    for (int64_t row = 0; row < rows.count; row += height) {
      for (int64_t column = 0; column < rows.size; column += width)
        run_block(rows, row, std::min(height, rows.count - row), column, std::min(width, rows.size - column));
    }
  }

 private:
  int64_t stride(size_t o) const { return loop_.inner().strides[o]; }
  int64_t step(size_t o) const { return loop_.step(static_cast<int>(o)); }
  int64_t bytes(size_t o) const { return static_cast<int64_t>(size_of(loop_.dtypes[o])); }

  void run_block(const ElementwiseRows& rows, int64_t first, int64_t count, int64_t column, int64_t n) {
    const auto place = [&](size_t o, int64_t row) {
      return rows.data[o] + row * step(o) + column * stride(o) * bytes(o);
    };
    for (size_t o = 1; o < operands_; ++o) {
      if (transposed_[o])
        gather_block(tiles_[o], body_.operands[o], loop_.dtypes[o], place(o, first), stride(o), count, n);
    }
    for (int64_t row = first; row < first + count; ++row) {
      Body::Places in{};
      for (size_t o = 1; o < operands_; ++o) {
        const auto size = static_cast<int64_t>(size_of(body_.operands[o]));
        in[o - 1] = direct_[o]       ? place(o, row)
                    : transposed_[o] ? tiles_[o] + (row - first) * kBlockColumns * size
                                     : tiles_[o];
        // The tile of a repeated element stays as it is along the row.
        if (!direct_[o] && !transposed_[o] && (stride(o) != 0 || column == 0 || any_transposed_))
          gather_operand(tiles_[o], body_.operands[o], loop_.dtypes[o], place(o, row), stride(o), n);
      }
      char* const out = place(0, row);
      body_.apply(body_.functor, direct_[0] ? out : tiles_[0], in, {-1, -1, -1}, n);
      if (!direct_[0]) scatter_operand(tiles_[0], body_.operands[0], loop_.dtypes[0], out, stride(0), n);
    }
  }

  static constexpr size_t kTileBytes =
      static_cast<size_t>(std::max(kTile, kBlockRows* kBlockColumns)) * sizeof(double);
  const Body& body_;
  const ElementwiseLoop& loop_;
  size_t operands_;
  std::array<bool, kMaxOperands> direct_{}, transposed_{};
  bool any_transposed_ = false;
  alignas(Body::kVectorBytes) char tiles_[kMaxOperands][kTileBytes];
};

}  // namespace

OwnedElementwiseBody record_elementwise_body(const Kernel& kernel, const Operation& operation, Inputs inputs,
                                             Outputs outputs) {
  OwnedElementwiseBody made;
  struct Recording {
    explicit Recording(OwnedElementwiseBody* to) { recorded = to; }
    ~Recording() { recorded = nullptr; }
  } recording(&made);
  kernel.run(operation, inputs, outputs, nullptr);
  return made;
}

void run_elementwise_body(const Body& body, const Tensor& output, Inputs inputs, int64_t work) {
  if (recorded != nullptr) {
    recorded->body = body;
    recorded->work = work;
    std::memcpy(recorded->functor.data(), body.functor, body.functor_bytes);
    return;
  }
  if (output.numel() == 0) return;
  ElementwiseLoop loop(output, inputs);
  bool direct = true;
  for (size_t o = 0; o < static_cast<size_t>(loop.operands); ++o) {
    const Dtype operand = body.operands[o];
    if (is_operand(loop.dtypes[o], operand)) loop.dtypes[o] = operand;
    const int64_t stride = loop.inner().strides[o];
    direct &= loop.dtypes[o] == operand && (stride == 1 || (stride == 0 && o > 0) || loop.inner().size == 1);
  }
  parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    if (direct) {
      for_each_rows(loop, first, last, [&](const ElementwiseRows& rows) { direct_rows(body, loop, rows); });
    } else {
      TiledRows tiled(body, loop);
      for_each_rows(loop, first, last, [&](const ElementwiseRows& rows) { tiled.run(rows); });
    }
  });
}

}  // namespace espalier
