#pragma once

// What the attention's CPU kernels, forward and backward, share.

#include <algorithm>
#include <type_traits>

#include "ops/attention.h"
#include "ops/attention_rows_internal.h"
#include "ops/gemm_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {

/// Rows of one head's matrix.
template <class T>
struct AttentionRows {
  T* data = nullptr;
  int64_t stride = 0;
  AttentionRows from(int64_t row) const { return {data + row * stride, stride}; }
  operator AttentionRows<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, stride};
  }
};

/// A matrix for each head, rows contiguous; absent where `data` is null.
template <class T>
struct AttentionHeads {
  T* data = nullptr;
  Shape shape;
  Strides strides;

  AttentionHeads() = default;
  AttentionHeads(T* data_, const Shape& shape_, const Strides& strides_)
      : data(data_), shape(shape_), strides(strides_) {}
  explicit AttentionHeads(const Tensor& tensor)
      : AttentionHeads(static_cast<T*>(tensor.raw_data()), tensor.shape(), tensor.strides()) {}
  /// Of an input: copied to `work` where its rows are not contiguous.
  AttentionHeads(const Tensor& input, Workspace& work) : AttentionHeads(input) {
    if (strides.back() == 1 || shape.back() == 1) return;
    data = const_cast<T*>(row_major_as<T>(input, work));
    strides = contiguous_strides(shape);
  }

  AttentionRows<T> of_head(int64_t head) const {
    if (!data) return {};
    T* first = data;
    for (int i = shape.rank() - 3; i >= 0; --i) {
      first += head % shape[i] * strides[i];
      head /= shape[i];
    }
    return {first, strides[shape.rank() - 2]};
  }
};

/// C = A B or, `accumulate`, C += A B, on the calling thread.
template <class T>
struct AttentionProduct {
  int64_t m, n, k;

  void operator()(AttentionRows<const T> a, bool transpose_a, AttentionRows<const T> b, bool transpose_b,
                  AttentionRows<T> c, bool accumulate) const {
    GemmOf<T> p;
    p.m = m;
    p.n = n;
    p.k = k;
    p.a = a.data;
    p.a_row = transpose_a ? 1 : a.stride;
    p.a_col = transpose_a ? a.stride : 1;
    p.b = b.data;
    p.b_row = transpose_b ? 1 : b.stride;
    p.b_col = transpose_b ? b.stride : 1;
    p.c = c.data;
    p.c_row = c.stride;
    p.accumulate = accumulate;
    serial_gemm(p);
  }
};

/// Scores of rows with one block of keys, A B^T. The block is transposed once, on the stack, for all of them;
/// not for a few, nor where its rows are very long.
template <class T>
class AttentionScores {
 public:
  /// `rows` is how many rows are to come.
  AttentionScores(AttentionRows<T> keys, int64_t count, int64_t depth, int64_t rows)
      : keys_(keys), depth_(depth), few_(rows < kFewRows) {
    if (transposes()) attention_transpose(keys.data, keys.stride, count, depth, transposed_);
  }
  AttentionScores(const AttentionScores&) = delete;
  AttentionScores& operator=(const AttentionScores&) = delete;

  /// Of `rows` rows with the first `columns` keys.
  void operator()(AttentionRows<T> a, int64_t rows, int64_t columns, AttentionRows<T> scores) const {
    const AttentionProduct<T> product{rows, columns, depth_};
    if (few_) {
      for (int64_t i = 0; i < rows; ++i)
        attention_row_dots(a.from(i).data, 0, keys_.data, keys_.stride, columns, depth_, scores.from(i).data);
    } else if (transposes()) {
      product(a, false, {transposed_, kAttentionKeys}, false, scores, false);
    } else {
      product(a, false, keys_, true, scores, false);
    }
  }

 private:
  /// To transpose a block costs as much as to multiply some eight rows with it.
  static constexpr int64_t kFewRows = 8;

  bool transposes() const { return !few_ && depth_ <= kAttentionDepth; }

  AttentionRows<T> keys_;
  int64_t depth_;
  bool few_;
  alignas(64) T transposed_[kAttentionDepth * kAttentionKeys];
};

/// Sizes of the operands, and of what each query sees.
struct AttentionSizes {
  int64_t heads, queries, keys, depth, width;
  bool causal;
  int64_t offset;  ///< where causal, query t sees the keys before t + offset + 1

  AttentionSizes(int64_t heads_, int64_t queries_, int64_t keys_, int64_t depth_, int64_t width_, Causal kind)
      : heads(heads_),
        queries(queries_),
        keys(keys_),
        depth(depth_),
        width(width_),
        causal(kind != Causal::none),
        offset(kind == Causal::lower_right ? keys_ - queries_ : 0) {}
  AttentionSizes(const Tensor& q, const Tensor& v, Causal kind)
      : AttentionSizes(1, q.size(-2), v.size(-2), q.size(-1), v.size(-1), kind) {
    for (int i = 0; i < q.rank() - 2; ++i) heads *= q.shape()[i];
  }

  int64_t query_blocks() const { return (queries + kAttentionQueries - 1) / kAttentionQueries; }
  int64_t key_blocks() const { return (keys + kAttentionKeys - 1) / kAttentionKeys; }
  /// Keys that the queries before `end` see.
  int64_t keys_seen(int64_t end) const { return causal ? std::clamp<int64_t>(end + offset, 0, keys) : keys; }
  /// The first block's first query that may see `key`.
  int64_t first_query(int64_t key) const {
    return causal ? std::max<int64_t>(0, key - offset) / kAttentionQueries * kAttentionQueries : 0;
  }
  /// So many queries with all keys, in the units of kSerialWork: a multiply-add in a tile takes a sixteenth
  /// of one, to read an element of a key or value from beyond the caches takes one.
  int64_t work(int64_t rows) const { return std::max<int64_t>(1, keys * (depth + width) * (16 + rows) / 16); }
  int64_t block_work() const { return work(kAttentionQueries); }
};

/// What is added to the scores of each head, [..., T, S], repeated by strides along all axes but the last;
/// absent where there is no mask. Bools become numbers in `work`.
template <class T>
AttentionHeads<const T> heads_of_mask(const Tensor& mask, const Tensor& q, int64_t keys, Workspace& work);

/// Everything that forward reads and writes.
template <class T>
struct AttentionProblem {
  AttentionSizes sizes;
  AttentionHeads<T> q, k, v;
  AttentionHeads<const T> mask;
  AttentionHeads<T> y;
  T* log_sum;  ///< of each head's queries
  T scale;
};
void run_attention(const AttentionProblem<float>& problem);
void run_attention(const AttentionProblem<double>& problem);

/// The tile of a block of queries, from `first` on, and one of keys, from `key` on, with its mask applied.
template <class T>
AttentionTile<T> masked_tile(const AttentionSizes& sizes, T* scores, int64_t rows, int64_t columns,
                             int64_t first, int64_t key, T scale, AttentionRows<const T> mask) {
  AttentionTile<T> tile{scores, rows, columns, sizes.causal, first - key + sizes.offset, scale};
  if (mask.data) attention_mask(tile, mask.from(first).data + key, mask.stride);
  return tile;
}

}  // namespace espalier
