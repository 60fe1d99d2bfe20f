#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "core/workspace.h"
#include "ops/along_axis_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/parts_internal.h"
#include "ops/sort.h"

namespace espalier {
namespace {

/// An unsigned number that orders as a value does: NaN after all others, -0 as 0.
template <class C>
auto key_of(C value) {
  using K = std::conditional_t<sizeof(C) == 4, uint32_t, uint64_t>;
  constexpr K kSign = K{1} << (8 * sizeof(K) - 1);
  if constexpr (std::is_integral_v<C>) {
    return static_cast<K>(static_cast<K>(value) ^ kSign);
  } else {
    const K bits = std::bit_cast<K>(value + C{0});  // -0 + 0 is 0
    const K key = bits & kSign ? ~bits : bits | kSign;
    return std::isnan(value) ? std::numeric_limits<K>::max() : key;
  }
}

/// A key and its place in one number.
struct PackedEntry {
  static constexpr int kDigits = 4;
  uint64_t packed;

  PackedEntry() = default;
  PackedEntry(uint64_t key, int64_t index) : packed(key << 32 | static_cast<uint32_t>(index)) {}
  uint64_t key() const noexcept { return packed >> 32; }
  int64_t index() const noexcept { return static_cast<int64_t>(packed & 0xFFFFFFFF); }
  size_t digit(int i) const noexcept { return packed >> (32 + 8 * i) & 0xFF; }
  friend bool operator<(PackedEntry a, PackedEntry b) noexcept { return a.packed < b.packed; }
};
constexpr int64_t kMaxPacked = int64_t{1} << 32;

/// The same for keys, or places, that need more bits.
struct WideEntry {
  static constexpr int kDigits = 8;
  uint64_t whole;
  int64_t place;

  WideEntry() = default;
  WideEntry(uint64_t key, int64_t index) : whole(key), place(index) {}
  uint64_t key() const noexcept { return whole; }
  int64_t index() const noexcept { return place; }
  size_t digit(int i) const noexcept { return whole >> (8 * i) & 0xFF; }
  friend bool operator<(WideEntry a, WideEntry b) noexcept {
    return a.whole != b.whole ? a.whole < b.whole : a.place < b.place;
  }
};

/// From here on a radix sort is faster than std::sort, whose time an element grows with the logarithm of
/// their number: 256 counters a digit have to be paid for.
constexpr int64_t kRadixFrom = 256;

/// Up to here counting how many others are smaller is faster than std::sort: it has no branches to
/// mispredict.
constexpr int64_t kRankedUpTo = 24;

/// Puts every entry where the number of smaller ones says.
template <class Entry>
void sort_by_rank(const Entry* entries, Entry* sorted, int64_t n) {
  std::array<uint8_t, kRankedUpTo> ranks;
  for (int64_t i = 0; i < n; ++i) {
    uint8_t larger = 0;
    for (int64_t j = 0; j < i; ++j) {
      const bool follows = entries[i] < entries[j];
      ranks[static_cast<size_t>(j)] = static_cast<uint8_t>(ranks[static_cast<size_t>(j)] + follows);
      larger = static_cast<uint8_t>(larger + follows);
    }
    ranks[static_cast<size_t>(i)] = static_cast<uint8_t>(i - larger);
  }
  for (int64_t i = 0; i < n; ++i) sorted[ranks[static_cast<size_t>(i)]] = entries[i];
}

/// The first of keys[i], ..., keys[n - 1] under `bound`, or n. Keys that are not are passed by eights without
/// a branch each.
template <class Key>
int64_t first_below(const Key* keys, int64_t i, int64_t n, Key bound) {
  constexpr int64_t kStride = 8;
  for (; i + kStride <= n; i += kStride) {
    unsigned found = 0;
    for (int64_t j = 0; j < kStride; ++j) found |= static_cast<unsigned>(keys[i + j] < bound) << j;
    if (found != 0) return i + std::countr_zero(found);
  }
  while (i < n && keys[i] >= bound) ++i;
  return i;
}

/// Room for candidates of a few elements to pick: the first so many are all taken in and cost most, later
/// ones come seldom.
constexpr int64_t kRoom = 64;

/// Sorts entries whose places ascend. Least significant digit first, leaving out digits that are all the
/// same; returns where the result is, `entries` or `other`.
template <class Entry>
Entry* sort_entries(Entry* entries, Entry* other, int64_t n) {
  if (n <= kRankedUpTo) {
    sort_by_rank(entries, other, n);
    return other;
  }
  if (n < kRadixFrom) {
    std::sort(entries, entries + n);
    return entries;
  }
  std::array<std::array<int64_t, 256>, Entry::kDigits> counts{};
  for (int64_t i = 0; i < n; ++i) {
    for (int d = 0; d < Entry::kDigits; ++d) ++counts[static_cast<size_t>(d)][entries[i].digit(d)];
  }
  for (int d = 0; d < Entry::kDigits; ++d) {
    auto& starts = counts[static_cast<size_t>(d)];
    if (starts[entries[0].digit(d)] == n) continue;
    int64_t start = 0;
    for (int64_t& count : starts) start += std::exchange(count, start);
    for (int64_t i = 0; i < n; ++i) other[starts[entries[i].digit(d)]++] = entries[i];
    std::swap(entries, other);
  }
  return entries;
}

/// Sorts or picks along an axis, with elements compared in C.
template <class C>
class Orderer {
 public:
  using Key = decltype(key_of(C{}));

  /// `picks`, or else sorts.
  Orderer(const Ordering& op, bool picks, const Tensor& input, std::span<const Tensor> outputs,
          Workspace& work)
      : picks_(picks),
        input_(input),
        outputs_(outputs),
        slices_(input.shape(), op.axis(), op.name()),
        to_(outputs[0].shape(), op.axis(), op.name()),
        n_(slices_.size()),
        k_(to_.size()),
        turn_(op.descending() ? ~Key{0} : Key{0}),
        // Entries that may be among the first k wait until there are twice as many; then half of them go.
        room_(picks ? std::min(n_, std::max(2 * k_, kRoom)) : 2 * n_ + n_),
        // 32: a sort of a few elements costs more, a pick of a few less.
        parts_(slices_.count(), kSerialWork / 32 / n_),
        memory_(work.take<char>(parts_.count() * bytes())) {}

  void run() const { picks_ ? pick() : sort(); }

 private:
  void sort() const {
    for_each_slice([&](int64_t slice, char* memory) {
      auto* const keys = reinterpret_cast<Key*>(memory + 2 * n_ * static_cast<int64_t>(sizeof(WideEntry)));
      load_keys(slice, 0, n_, keys);
      if (sizeof(Key) == 4 && n_ < kRadixFrom) return sort_slice<PackedEntry>(slice, keys, 0, memory);
      // Less the smallest key, fewer digits differ.
      const auto [least, most] = std::minmax_element(keys, keys + n_);
      const Key base = *least;
      if (uint64_t{*most} - base < uint64_t{1} << 32 && n_ <= kMaxPacked)
        sort_slice<PackedEntry>(slice, keys, base, memory);
      else
        sort_slice<WideEntry>(slice, keys, base, memory);
    });
  }

  void pick() const {
    for_each_slice([&](int64_t slice, char* memory) {
      if (sizeof(Key) == 4 && n_ <= kMaxPacked)
        pick_slice(slice, reinterpret_cast<PackedEntry*>(memory), room_);
      else
        pick_slice(slice, reinterpret_cast<WideEntry*>(memory), room_);
    });
  }

  /// Of `room` wide entries.
  int64_t bytes() const { return Parts::apart<char>(room_ * static_cast<int64_t>(sizeof(WideEntry))); }

  /// Calls `f(slice, memory)` with memory of bytes().
  template <class F>
  void for_each_slice(F&& f) const {
    parts_.run([&](int64_t part, int64_t first, int64_t last) {
      for (int64_t slice = first; slice < last; ++slice) f(slice, memory_ + part * bytes());
    });
  }

  void load_keys(int64_t slice, int64_t begin, int64_t count, Key* keys) const {
    const int64_t step = slices_.step(input_.strides());
    const int64_t start = slices_.offset(input_.strides(), slice);
    C tile[kTile];
    for (int64_t i = 0; i < count; i += kTile) {
      const int64_t width = std::min(kTile, count - i);
      const char* const from = static_cast<const char*>(input_.raw_data()) +
                               (start + (begin + i) * step) * static_cast<int64_t>(size_of(input_.dtype()));
      load_tile(tile, input_.dtype(), from, step, width);
      for (int64_t j = 0; j < width; ++j) keys[i + j] = key_of(tile[j]) ^ turn_;
    }
  }

  template <class Entry>
  void sort_slice(int64_t slice, const Key* keys, Key base, char* memory) const {
    auto* const entries = reinterpret_cast<Entry*>(memory);
    for (int64_t i = 0; i < n_; ++i) entries[i] = Entry(keys[i] - base, i);
    store(slice, sort_entries(entries, entries + n_, n_));
  }

  template <class Entry>
  void pick_slice(int64_t slice, Entry* entries, int64_t room) const {
    Key keys[kTile];
    int64_t waiting = 0;
    // The largest key among the first k so far, once there are so many. Later elements with that key are
    // behind.
    uint64_t bound = 0;
    bool bounded = false;
    for (int64_t begin = 0; begin < n_ && k_ > 0; begin += kTile) {
      const int64_t width = std::min(kTile, n_ - begin);
      load_keys(slice, begin, width, keys);
      for (int64_t i = 0; i < width; ++i) {
        if (bounded) {
          i = first_below(keys, i, width, static_cast<Key>(bound));
          if (i == width) break;
        }
        if (waiting == room) {
          std::nth_element(entries, entries + k_ - 1, entries + waiting);
          bound = entries[k_ - 1].key();
          bounded = true;
          waiting = k_;
          if (keys[i] >= bound) continue;
        }
        entries[waiting++] = Entry(keys[i], begin + i);
      }
    }
    if (waiting > k_) std::nth_element(entries, entries + k_, entries + waiting);
    std::sort(entries, entries + k_);
    store(slice, entries);
  }

  template <class Entry>
  void store(int64_t slice, const Entry* entries) const {
    const Tensor& values = outputs_[0];
    const int64_t step = to_.step(values.strides()), at = to_.offset(values.strides(), slice);
    auto* const indices = static_cast<int64_t*>(outputs_[1].raw_data()) + at;
    for (int64_t i = 0; i < k_; ++i) indices[i * step] = entries[i].index();
    visit_dtype(values.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* const from =
          static_cast<const T*>(input_.raw_data()) + slices_.offset(input_.strides(), slice);
      T* const out = static_cast<T*>(values.raw_data()) + at;
      const int64_t from_step = slices_.step(input_.strides());
      for (int64_t i = 0; i < k_; ++i) out[i * step] = from[entries[i].index() * from_step];
    });
  }

  bool picks_;
  const Tensor& input_;
  std::span<const Tensor> outputs_;
  AxisSlices slices_, to_;
  int64_t n_, k_;
  Key turn_;  ///< turns the order round
  int64_t room_;
  Parts parts_;
  char* memory_;
};

template <bool picks, class Op>
size_t ordering_scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  size_t bytes = 0;
  if (outputs[0].numel() == 0) return bytes;
  visit_compute_type(inputs[0].dtype(), [&](auto tag) {
    bytes = scratch_of<Orderer<typename decltype(tag)::type>>(op, picks, inputs[0], outputs);
  });
  return bytes;
}

template <bool picks, class Op>
void run_ordering(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
  if (outputs[0].numel() == 0) return;
  visit_compute_type(inputs[0].dtype(), [&](auto tag) {
    run_with<Orderer<typename decltype(tag)::type>>(scratch, op, picks, inputs[0],
                                                    std::span<const Tensor>(outputs));
  });
}

}  // namespace

size_t sort_scratch(const Sort& op, Inputs inputs, std::span<const Tensor> outputs) {
  return ordering_scratch<false>(op, inputs, outputs);
}
void sort_cpu(const Sort& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_ordering<false>(op, inputs, outputs, scratch);
}

size_t topk_scratch(const TopK& op, Inputs inputs, std::span<const Tensor> outputs) {
  return ordering_scratch<true>(op, inputs, outputs);
}
void topk_cpu(const TopK& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_ordering<true>(op, inputs, outputs, scratch);
}

}  // namespace espalier
