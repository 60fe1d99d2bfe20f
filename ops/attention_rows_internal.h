#pragma once

#include <cstdint>

namespace espalier {

/// A block of scores, queries by keys, on the stack: 32 KiB at most.
inline constexpr int64_t kAttentionQueries = 32;
inline constexpr int64_t kAttentionKeys = 64;
/// The most elements of a head's rows for which a block of keys is transposed on the stack: 64 KiB at most.
inline constexpr int64_t kAttentionDepth = 128;

/// Scores q k^T of a block of queries and a block of keys; row i has `stride` elements, of which the first
/// `columns` count.
template <class T>
struct AttentionTile {
  T* scores;
  int64_t rows, columns;
  bool causal;
  int64_t ahead;  ///< index of the first query minus index of the first key
  T scale;

  static constexpr int64_t kStride = kAttentionKeys;

  /// How many of the keys the query of row i sees.
  int64_t visible(int64_t i) const noexcept {
    if (!causal) return columns;
    const int64_t seen = ahead + i + 1;
    return seen < 0 ? 0 : seen < columns ? seen : columns;
  }
};

/// What is known of each query after some of its keys: the largest scaled score, the sum of exp(score -
/// largest), and the sum of the values with those weights.
template <class T>
struct AttentionState {
  T *top, *sum;
  T* y;
  int64_t y_row, width;
};

/// Turns the scores into weights exp(scale score - top), with 0 for keys that are not seen, and brings the
/// state to the new largest scores; `first`: there were no keys before. The weighted values are still to be
/// added to y.
void attention_weights(const AttentionTile<float>& tile, const AttentionState<float>& state, bool first);
void attention_weights(const AttentionTile<double>& tile, const AttentionState<double>& state, bool first);

/// Turns the scores into scale score + mask, for a mask of the tile's shape whose rows are `row` elements
/// apart; the tile's scale is 1 from then on.
void attention_mask(AttentionTile<float>& tile, const float* added, int64_t row);
void attention_mask(AttentionTile<double>& tile, const double* added, int64_t row);

/// Divides the rows of y by their sums, and writes top + log(sum). A query that saw nothing has y = 0 and a
/// logarithm of minus infinity.
void attention_finish(const AttentionState<float>& state, int64_t rows, float* log_sum);
void attention_finish(const AttentionState<double>& state, int64_t rows, double* log_sum);

/// Turns the scores into p = exp(scale score - log_sum), and `dp` (laid out as they are) into slope p (dp -
/// delta), both 0 for keys that are not seen.
void attention_gradients(const AttentionTile<float>& tile, const float* log_sum, const float* delta,
                         float slope, float* dp);
void attention_gradients(const AttentionTile<double>& tile, const double* log_sum, const double* delta,
                         double slope, double* dp);

/// Writes `rows` rows of `columns` elements, `row` elements apart, as columns of a matrix whose rows are
/// kAttentionKeys long.
void attention_transpose(const float* from, int64_t row, int64_t rows, int64_t columns, float* to);
void attention_transpose(const double* from, int64_t row, int64_t rows, int64_t columns, double* to);

/// The sum over j of a[i * a_row + j] b[i * b_row + j], for each of `rows` rows.
void attention_row_dots(const float* a, int64_t a_row, const float* b, int64_t b_row, int64_t rows,
                        int64_t width, float* dots);
void attention_row_dots(const double* a, int64_t a_row, const double* b, int64_t b_row, int64_t rows,
                        int64_t width, double* dots);

}  // namespace espalier
