#include <algorithm>
#include <array>
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

/// Reads `n` elements, `stride` apart, as a body's operand of type `operand`.
void gather(char* tile, Dtype operand, Dtype dtype, const char* data, int64_t stride, int64_t n) {
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

/// Writes `n` elements, `stride` apart, from a body's operand of type `operand`.
void scatter(const char* tile, Dtype operand, Dtype dtype, char* data, int64_t stride, int64_t n) {
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

/// Tile by tile: operands that are not neighbours of the body's type are gathered, and converted, on their
/// way.
void tiled_row(const Body& body, const ElementwiseLoop& loop, const ElementwiseRow& row) {
  alignas(Body::kVectorBytes) char tiles[kMaxOperands][kTile * sizeof(double)];
  const auto operands = static_cast<size_t>(loop.operands);
  const std::array<int64_t, kMaxOperands>& strides = loop.inner().strides;
  for (int64_t begin = 0; begin < row.size; begin += kTile) {
    const int64_t n = std::min(kTile, row.size - begin);
    std::array<char*, kMaxOperands> places;
    for (size_t o = 0; o < operands; ++o) {
      char* const place = row.data[o] + begin * strides[o] * static_cast<int64_t>(size_of(loop.dtypes[o]));
      const bool direct = loop.dtypes[o] == body.operands[o] && strides[o] == 1;
      places[o] = direct ? place : tiles[o];
      // The tile of a repeated element stays as it is along the row.
      if (!direct && o > 0 && (strides[o] != 0 || begin == 0))
        gather(tiles[o], body.operands[o], loop.dtypes[o], place, strides[o], n);
    }
    Body::Places in{};
    std::copy_n(places.begin() + 1, operands - 1, in.begin());
    body.apply(body.functor, places[0], in, {-1, -1, -1}, n);
    if (places[0] != tiles[0]) continue;
    scatter(tiles[0], body.operands[0], loop.dtypes[0],
            row.data[0] + begin * strides[0] * static_cast<int64_t>(size_of(loop.dtypes[0])), strides[0], n);
  }
}

}  // namespace

void run_elementwise_body(const Body& body, const Tensor& output, Inputs inputs, int64_t work) {
  if (output.numel() == 0) return;
  ElementwiseLoop loop(output, inputs);
  bool direct = true;
  for (size_t o = 0; o < static_cast<size_t>(loop.operands); ++o) {
    const Dtype operand = body.operands[o];
    if (is_moved(operand) && size_of(operand) == size_of(loop.dtypes[o])) loop.dtypes[o] = operand;
    const int64_t stride = loop.inner().strides[o];
    direct &= loop.dtypes[o] == operand && (stride == 1 || (stride == 0 && o > 0) || loop.inner().size == 1);
  }
  parallel_for(0, loop.elements, std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    if (direct)
      for_each_rows(loop, first, last, [&](const ElementwiseRows& rows) { direct_rows(body, loop, rows); });
    else
      for_each_row(loop, first, last, [&](const ElementwiseRow& row) { tiled_row(body, loop, row); });
  });
}

}  // namespace espalier
