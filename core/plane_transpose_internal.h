#pragma once

#include <cstdint>

namespace espalier {

/// to[i * to_row + j] = from[i + j * from_row] for i under `rows` and j under `columns`: the transposed plane
/// of elements of 4 bytes. The two must not overlap.
void transpose_plane_of_words(uint32_t* to, int64_t to_row, const uint32_t* from, int64_t from_row,
                              int64_t rows, int64_t columns);

}  // namespace espalier
