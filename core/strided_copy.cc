#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "core/parallel.h"
#include "core/plane_transpose_internal.h"
#include "core/strided_copy_internal.h"

namespace espalier {
namespace {

/// One axis of both layouts.
struct Axis {
  int64_t size, to, from;
};

/// The axes by falling stride of the destination, neighbours that are one run in both layouts joined.
struct Loop {
  std::array<Axis, kMaxRank> axes;
  int rank = 0;
};

Loop plan(const Shape& shape, const Strides& to, const Strides& from) {
  Loop loop;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    int at = loop.rank++;
    for (; at > 0 && loop.axes[static_cast<size_t>(at - 1)].to < to[i]; --at) {
      loop.axes[static_cast<size_t>(at)] = loop.axes[static_cast<size_t>(at - 1)];
    }
    loop.axes[static_cast<size_t>(at)] = {shape[i], to[i], from[i]};
  }
  int last = 0;
  for (int i = 1; i < loop.rank; ++i) {
    Axis& outer = loop.axes[static_cast<size_t>(last)];
    const Axis inner = loop.axes[static_cast<size_t>(i)];
    if (outer.to == inner.size * inner.to && outer.from == inner.size * inner.from) {
      outer = {outer.size * inner.size, inner.to, inner.from};
    } else {
      loop.axes[static_cast<size_t>(++last)] = inner;
    }
  }
  loop.rank = loop.rank == 0 ? 0 : last + 1;
  return loop;
}

template <class T>
void copy_row(T* to, const T* from, const Axis& axis) {
  if (axis.to == 1 && axis.from == 1) {
    std::memcpy(to, from, static_cast<size_t>(axis.size) * sizeof(T));
  } else if (axis.to == 1 && axis.from == -1) {
    for (int64_t i = 0; i < axis.size; ++i) to[i] = from[-i];  // with a constant step it is vectorised
  } else {
    for (int64_t i = 0; i < axis.size; ++i) to[i * axis.to] = from[i * axis.from];
  }
}

/// A plane whose neighbours lie along `inner` in the destination and along `outer` in the source. Lines of
/// the source are collected in a block from which whole rows are written: where strides are powers of two,
/// neither side's lines would outlive the others in the cache.
template <class T>
void transpose_plane(T* to, const T* from, const Axis& outer, const Axis& inner) {
  constexpr int64_t kRows = 64 / sizeof(T);  // a cache line of elements
  constexpr int64_t kColumns = 64;
  T block[kRows][kColumns];
  for (int64_t i0 = 0; i0 < outer.size; i0 += kRows) {
    const int64_t rows = std::min(kRows, outer.size - i0);
    for (int64_t j0 = 0; j0 < inner.size; j0 += kColumns) {
      const int64_t columns = std::min(kColumns, inner.size - j0);
      for (int64_t j = 0; j < columns; ++j) {
        const T* line = from + i0 + (j0 + j) * inner.from;
        for (int64_t i = 0; i < rows; ++i) block[i][j] = line[i];
      }
      for (int64_t i = 0; i < rows; ++i) std::copy_n(block[i], columns, to + (i0 + i) * outer.to + j0);
    }
  }
}
/// Of 4 bytes, as most elements are: by vectors.
void transpose_plane(uint32_t* to, const uint32_t* from, const Axis& outer, const Axis& inner) {
  transpose_plane_of_words(to, outer.to, from, inner.from, outer.size, inner.size);
}

/// Copies the part of axis `depth` that lies in [first, last), and everything inside it.
template <class T>
void copy_range(T* to, const T* from, const Loop& loop, int depth, int64_t first, int64_t last) {
  Axis axis = loop.axes[static_cast<size_t>(depth)];
  to += first * axis.to;
  from += first * axis.from;
  axis.size = last - first;
  const int inside = loop.rank - depth - 1;
  if (inside == 0) return copy_row(to, from, axis);
  const Axis& next = loop.axes[static_cast<size_t>(depth) + 1];
  if (inside == 1 && axis.from == 1 && next.to == 1) return transpose_plane(to, from, axis, next);
  if (inside == 1) {
    for (int64_t i = 0; i < axis.size; ++i) copy_row(to + i * axis.to, from + i * axis.from, next);
    return;
  }
  for (int64_t i = 0; i < axis.size; ++i) {
    copy_range(to + i * axis.to, from + i * axis.from, loop, depth + 1, 0, next.size);
  }
}

template <class T>
void copy(void* to, const void* from, const Loop& loop, int64_t elements) {
  auto* target = static_cast<T*>(to);
  const auto* source = static_cast<const T*>(from);
  if (loop.rank == 0) {
    *target = *source;
    return;
  }
  const int64_t rows = loop.axes[0].size;
  parallel_for(0, rows, std::max<int64_t>(1, kSerialWork * rows / elements),
               [&](int64_t first, int64_t last) { copy_range(target, source, loop, 0, first, last); });
}

}  // namespace

void copy_strided(void* to, const Strides& to_strides, const void* from, const Strides& from_strides,
                  const Shape& shape, size_t element) {
  const int64_t elements = count(shape);
  if (elements == 0) return;
  const Loop loop = plan(shape, to_strides, from_strides);
  switch (element) {
    case 1:
      return copy<uint8_t>(to, from, loop, elements);
    case 2:
      return copy<uint16_t>(to, from, loop, elements);
    case 4:
      return copy<uint32_t>(to, from, loop, elements);
    default:
      return copy<uint64_t>(to, from, loop, elements);
  }
}

}  // namespace espalier
