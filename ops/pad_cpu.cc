#include <algorithm>
#include <array>
#include <cstring>

#include "core/element_internal.h"
#include "core/parallel.h"
#include "ops/pad.h"

namespace espalier {
namespace {

/// An axis of the output, and where along it the input's elements go: at first, first + step, ...
struct Axis {
  int64_t size;
  int64_t first, step, count;
  int64_t stride;  ///< of the input
};

/// The axes in the order of the output's memory, the innermost last; neighbours are joined where the input
/// has them as one run and the inner one is not padded.
struct Loop {
  std::array<Axis, kMaxRank> axes;
  int rank = 0;
  int64_t rows = 1;  ///< of the innermost axis

  Loop(const Pad& op, const Tensor& output, const Tensor& input) {
    std::array<int64_t, kMaxRank> strides;
    for (int i = 0; i < output.rank(); ++i) {
      if (output.shape()[i] == 1) continue;
      int at = rank++;
      for (; at > 0 && strides[index(at - 1)] < output.strides()[i]; --at) {
        axes[index(at)] = axes[index(at - 1)];
        strides[index(at)] = strides[index(at - 1)];
      }
      axes[index(at)] = {output.shape()[i], op.before()[i], op.between()[i] + 1, input.shape()[i],
                         input.strides()[i]};
      strides[index(at)] = output.strides()[i];
    }
    if (rank == 0) axes[index(rank++)] = {1, 0, 1, 1, 0};
    int last = 0;
    for (int i = 1; i < rank; ++i) {
      const Axis inner = axes[index(i)];
      Axis& outer = axes[index(last)];
      if (outer.step == 1 && inner.count == inner.size && outer.stride == inner.size * inner.stride) {
        outer = {outer.size * inner.size, outer.first * inner.size, 1, outer.count * inner.size,
                 inner.stride};
      } else {
        axes[index(++last)] = inner;
      }
    }
    rank = last + 1;
    for (int i = 0; i < last; ++i) rows *= axes[index(i)].size;
  }

  static size_t index(int i) { return static_cast<size_t>(i); }
};

/// Where the walk over the output's rows is along one outer axis.
struct Cursor {
  int64_t at = 0;      ///< index in the output
  int64_t placed = 0;  ///< input elements before it

  bool on_input(const Axis& axis) const {
    return placed < axis.count && at == axis.first + placed * axis.step;
  }
  /// Moves on; returns false after the last index, and is at the first again.
  bool advance(const Axis& axis) {
    placed += on_input(axis);
    if (++at < axis.size) return true;
    *this = {};
    return false;
  }
  void seek(const Axis& axis, int64_t index) {
    at = index;
    const int64_t passed = std::max<int64_t>(index - axis.first, 0);
    placed = std::min(axis.count, passed / axis.step + (passed % axis.step != 0));
  }
};

/// One row: constants, elements `axis.step` apart with constants between, constants.
template <class T>
void write_row(T* to, const T* from, const Axis& axis, T value) {
  // Short rows (the channels of an image) would pay more for a call of memcpy than for the copying.
  constexpr int64_t kCallPays = 512 / sizeof(T);
  std::fill_n(to, axis.first, value);
  T* next = to + axis.first;
  if (axis.step == 1 && axis.stride == 1) {
    if (axis.count >= kCallPays) {
      std::memcpy(next, from, static_cast<size_t>(axis.count) * sizeof(T));
    } else {
      for (int64_t i = 0; i < axis.count; ++i) next[i] = from[i];
    }
    next += axis.count;
  } else {
    for (int64_t i = 0; i < axis.count; ++i) {
      *next++ = from[i * axis.stride];
      if (i + 1 < axis.count) next = std::fill_n(next, axis.step - 1, value);
    }
  }
  std::fill(next, to + axis.size, value);
}

template <class T>
void write_rows(T* to, const T* from, const Loop& loop, int64_t first, int64_t last, T value) {
  const Axis& row = loop.axes[Loop::index(loop.rank - 1)];
  const int outer = loop.rank - 1;
  std::array<Cursor, kMaxRank> cursors{};
  for (int64_t i = outer - 1, rest = first; i >= 0; --i) {
    const Axis& axis = loop.axes[static_cast<size_t>(i)];
    cursors[static_cast<size_t>(i)].seek(axis, rest % axis.size);
    rest /= axis.size;
  }
  for (int64_t r = first; r < last; ++r) {
    int64_t offset = 0;
    bool on_input = true;
    for (int i = 0; i < outer; ++i) {
      const Axis& axis = loop.axes[Loop::index(i)];
      const Cursor& cursor = cursors[Loop::index(i)];
      on_input &= cursor.on_input(axis);
      offset += cursor.placed * axis.stride;
    }
    if (on_input) {
      write_row(to + r * row.size, from + offset, row, value);
    } else {
      std::fill_n(to + r * row.size, row.size, value);
    }
    for (int i = outer - 1; i >= 0 && !cursors[Loop::index(i)].advance(loop.axes[Loop::index(i)]); --i) {
    }
  }
}

template <class T>
void pad_as(const Pad& op, const Tensor& output, const Tensor& input) {
  const Loop loop(op, output, input);
  T value{};
  write_element(&value, op.value(), output.dtype());
  auto* to = static_cast<T*>(output.raw_data());
  const auto* from = static_cast<const T*>(input.raw_data());
  // An element is a load and a store, as in the sum that kSerialWork was measured with.
  const int64_t grain = std::max<int64_t>(1, kSerialWork * loop.rows / output.numel());
  parallel_for(0, loop.rows, grain,
               [&](int64_t first, int64_t last) { write_rows(to, from, loop, first, last, value); });
}

}  // namespace

void pad_cpu(const Pad& op, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  switch (size_of(outputs[0].dtype())) {
    case 1:
      return pad_as<uint8_t>(op, outputs[0], inputs[0]);
    case 2:
      return pad_as<uint16_t>(op, outputs[0], inputs[0]);
    case 4:
      return pad_as<uint32_t>(op, outputs[0], inputs[0]);
    default:
      return pad_as<uint64_t>(op, outputs[0], inputs[0]);
  }
}

}  // namespace espalier
