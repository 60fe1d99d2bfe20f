#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "core/strided_copy_internal.h"
#include "ops/indexed_elements_internal.h"
#include "ops/loss_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// Steps in the three tensors, in elements.
struct Steps {
  int64_t table, index, values;
};

Steps operator*(int64_t n, const Steps& steps) {
  return {n * steps.table, n * steps.index, n * steps.values};
}
Steps operator+(const Steps& a, const Steps& b) {
  return {a.table + b.table, a.index + b.index, a.values + b.values};
}

struct Axis {
  int64_t size;
  Steps steps;
};

bool is_one_run(const Axis& outer, const Axis& inner) {
  const Steps run = inner.size * inner.steps;
  return outer.steps.table == run.table && outer.steps.index == run.index && outer.steps.values == run.values;
}

/// The axes other than the indexed one by falling stride of the values, neighbours that are one run joined.
/// The last of them is the lanes; there is always one.
struct Loop {
  std::array<Axis, kMaxRank> axes;
  int rank = 0;
  Axis along;        ///< the indexed axis of `values`; its table step is that of one index
  int64_t limit;     ///< indices are below it
  int64_t rows = 1;  ///< combinations of the axes outside the lanes

  Loop(const Tensor& table, int axis, const Tensor& index, const Tensor& values) {
    const auto steps = [&](int i) {
      return Steps{table.strides()[i], index.strides()[i], values.strides()[i]};
    };
    along = {values.shape()[axis], steps(axis)};
    limit = table.shape()[axis];
    for (int i = 0; i < values.rank(); ++i) {
      if (i == axis || values.shape()[i] == 1) continue;
      int at = rank++;
      for (; at > 0 && axes[place(at - 1)].steps.values < values.strides()[i]; --at)
        axes[place(at)] = axes[place(at - 1)];
      axes[place(at)] = {values.shape()[i], steps(i)};
    }
    if (rank == 0) axes[place(rank++)] = {1, {0, 0, 0}};
    int last = 0;
    for (int i = 1; i < rank; ++i) {
      Axis& outer = axes[place(last)];
      const Axis inner = axes[place(i)];
      if (is_one_run(outer, inner))
        outer = {outer.size * inner.size, inner.steps};
      else
        axes[place(++last)] = inner;
    }
    rank = last + 1;
    for (int i = 0; i < last; ++i) rows *= axes[place(i)].size;
  }

  static size_t place(int i) { return static_cast<size_t>(i); }
  const Axis& lanes() const { return axes[place(rank - 1)]; }
  /// Whether neighbours along the lanes are nearer in memory than neighbours along the indexed axis.
  bool lanes_inside() const {
    return along.size == 1 || (lanes().size > 1 && lanes().steps.values < along.steps.values);
  }
  Steps row(int64_t number) const {
    Steps offset{0, 0, 0};
    for (int i = rank - 2; i >= 0; --i) {
      const Axis& axis = axes[place(i)];
      offset = offset + number % axis.size * axis.steps;
      number /= axis.size;
    }
    return offset;
  }
};

struct Part {
  int64_t first, last;
};

// What is done with an element of the table and its value.

struct Gather {
  template <class T>
  void operator()(T& table, T& value) const {
    value = table;
  }
  template <class T>
  void row(T* table, T* values, int64_t size) const {
    std::memcpy(values, table, static_cast<size_t>(size) * sizeof(T));
  }
};

struct Scatter {
  template <class T>
  void operator()(T& table, T& value) const {
    table = value;
  }
  template <class T>
  void row(T* table, T* values, int64_t size) const {
    std::memcpy(table, values, static_cast<size_t>(size) * sizeof(T));
  }
};

struct Add {
  template <class T>
  void operator()(T& table, T& value) const {
    if constexpr (std::is_same_v<T, bool>)
      table = table || value;
    else if constexpr (std::is_integral_v<T>)
      table = static_cast<T>(static_cast<uint64_t>(table) + static_cast<uint64_t>(value));  // wraps
    else
      table += value;
  }
  template <class T>
  void row(T* __restrict table, T* __restrict values, int64_t size) const {
    if constexpr (std::is_floating_point_v<T>)
      add_row(table, values, size);
    else
      for (int64_t i = 0; i < size; ++i) (*this)(table[i], values[i]);
  }
};

/// The elements in question as the actions see them.
template <class T, class Index>
struct Elements {
  T* table;
  const Index* index;
  T* values;

  Elements at(const Steps& steps) const {
    return {table + steps.table, index + steps.index, values + steps.values};
  }
};

// A negative index is a large unsigned one.
template <class Index>
bool is_inside(Index index, int64_t limit) {
  return static_cast<uint64_t>(static_cast<int64_t>(index)) < static_cast<uint64_t>(limit);
}

/// One index moves a row of `lanes`: of index_select, or of an index that was expanded.
template <class T, class Index, class Action>
bool run_rows(const Loop& loop, const Elements<T, Index>& origin, Part along, Part lanes,
              const Action& action) {
  const Steps step = loop.along.steps, lane = loop.lanes().steps;
  const int64_t size = lanes.last - lanes.first;
  for (int64_t n = along.first; n < along.last; ++n) {
    const Elements<T, Index> here = origin.at(n * Steps{0, step.index, step.values} + lanes.first * lane);
    if (!is_inside(*here.index, loop.limit)) [[unlikely]]
      return false;
    T* table = here.table + static_cast<int64_t>(*here.index) * step.table;
    if (lane.table == 1 && lane.values == 1) {
      action.row(table, here.values, size);
    } else {
      for (int64_t j = 0; j < size; ++j) action(table[j * lane.table], here.values[j * lane.values]);
    }
  }
  return true;
}

/// Elements one by one, with an index each. `steps` from one to the next may be constants, and `stride`, from
/// one index to the next in the table, too.
template <class T, class Index, class Action, class TableStep, class Step, class Stride>
bool run_line(const Elements<T, Index>& from, int64_t size, int64_t limit, const Action& action,
              TableStep table, Step index, Step values, Stride stride) {
  for (int64_t j = 0; j < size; ++j) {
    const Index at = from.index[j * index];
    if (!is_inside(at, limit)) [[unlikely]]
      return false;
    action(from.table[j * table + static_cast<int64_t>(at) * stride], from.values[j * values]);
  }
  return true;
}

/// Works on a part of the indexed axis and a part of the lanes; returns false, and stops, at an index outside
/// the axis.
template <class T, class Index, class Action>
bool run_part(const Loop& loop, const Elements<T, Index>& origin, Part along, Part lanes,
              const Action& action) {
  const Steps step = loop.along.steps, lane = loop.lanes().steps, by_number{0, step.index, step.values};
  const bool lanes_inside = loop.lanes_inside();
  if (lane.index == 0 && lanes_inside) return run_rows(loop, origin, along, lanes, action);
  const Steps outer = lanes_inside ? by_number : lane, inner = lanes_inside ? lane : by_number;
  const Part outer_part = lanes_inside ? along : lanes, inner_part = lanes_inside ? lanes : along;
  const int64_t size = inner_part.last - inner_part.first;
  const bool dense = inner.index == 1 && inner.values == 1;
  constexpr std::integral_constant<int64_t, 0> kNone;
  constexpr std::integral_constant<int64_t, 1> kOne;
  bool valid = true;
  for (int64_t i = outer_part.first; valid && i < outer_part.last; ++i) {
    const Elements<T, Index> from = origin.at(i * outer + inner_part.first * inner);
    if (dense && inner.table == 0 && step.table == 1)
      valid = run_line(from, size, loop.limit, action, kNone, kOne, kOne, kOne);
    else if (dense && inner.table == 1)
      valid = run_line(from, size, loop.limit, action, kOne, kOne, kOne, step.table);
    else
      valid = run_line(from, size, loop.limit, action, inner.table, inner.index, inner.values, step.table);
  }
  return valid;
}

/// Simple operations that an element counts as: an index, its check and two accesses.
constexpr int64_t kWork = 4;

/// Calls `body(row, along, lanes)`, which returns false at a wrong index, for parts that cover everything.
/// Where no element is written twice, along may be cut as well.
template <class Body>
bool for_each_part(const Loop& loop, bool cut_along, const Body& body) {
  std::atomic<bool> valid{true};
  const int64_t lanes = loop.lanes().size, length = loop.along.size;
  const auto note = [&](int64_t row, Part along, Part lane) {
    if (!body(row, along, lane)) valid.store(false, std::memory_order_relaxed);
  };
  const auto grain = [](int64_t elements) { return std::max<int64_t>(1, kSerialWork / (kWork * elements)); };
  const bool lanes_inside = loop.lanes_inside();
  const int64_t outer = lanes_inside ? length : lanes, inner = lanes_inside ? lanes : length;
  const int64_t pieces = (inner + kSerialWork - 1) / kSerialWork;
  if (!cut_along) {
    parallel_for(0, loop.rows * lanes, grain(length), [&](int64_t first, int64_t last) {
      while (first < last) {
        const Part lane{first % lanes, std::min(lanes, first % lanes + last - first)};
        note(first / lanes, {0, length}, lane);
        first += lane.last - lane.first;
      }
    });
  } else if (pieces > 1) {
    parallel_for(0, loop.rows * outer * pieces, 1, [&](int64_t first, int64_t last) {
      for (int64_t item = first; item < last; ++item) {
        const int64_t begin = item % pieces * kSerialWork, at = item / pieces % outer;
        const Part one{at, at + 1}, part{begin, std::min(inner, begin + kSerialWork)};
        note(item / pieces / outer, lanes_inside ? one : part, lanes_inside ? part : one);
      }
    });
  } else {
    parallel_for(0, loop.rows * outer, grain(inner), [&](int64_t first, int64_t last) {
      while (first < last) {
        const Part part{first % outer, std::min(outer, first % outer + last - first)}, all{0, inner};
        note(first / outer, lanes_inside ? part : all, lanes_inside ? all : part);
        first += part.last - part.first;
      }
    });
  }
  return valid.load(std::memory_order_relaxed);
}

template <class T, class Action>
bool run(const Tensor& table, int axis, const Tensor& index, const Tensor& values, const Action& action) {
  if (values.numel() == 0) return true;
  const Loop loop(table, axis, index, values);
  const auto with_index = [&](auto tag) {
    using Index = typename decltype(tag)::type;
    const Elements<T, Index> elements{static_cast<T*>(table.raw_data()),
                                      static_cast<const Index*>(index.raw_data()),
                                      static_cast<T*>(values.raw_data())};
    return for_each_part(loop, std::is_same_v<Action, Gather>, [&](int64_t row, Part along, Part lanes) {
      return run_part(loop, elements.at(loop.row(row)), along, lanes, action);
    });
  };
  return index.dtype() == Dtype::i64 ? with_index(TypeTag<int64_t>()) : with_index(TypeTag<int32_t>());
}

template <class Action>
bool move(const Tensor& table, int axis, const Tensor& index, const Tensor& values, const Action& action) {
  switch (size_of(table.dtype())) {
    case 1:
      return run<uint8_t>(table, axis, index, values, action);
    case 2:
      return run<uint16_t>(table, axis, index, values, action);
    case 4:
      return run<uint32_t>(table, axis, index, values, action);
    default:
      return run<uint64_t>(table, axis, index, values, action);
  }
}

/// `to`, row-major, = `from`, or zero where that is absent.
void start(const Tensor& to, const Tensor& from) {
  if (from.defined()) {
    return copy_strided(to.raw_data(), to.strides(), from.raw_data(), from.strides(), to.shape(),
                        size_of(to.dtype()));
  }
  auto* bytes = static_cast<char*>(to.raw_data());
  // Four bytes are a simple operation of kSerialWork; all bits zero is zero in every type.
  parallel_for(
      0, to.numel() * static_cast<int64_t>(size_of(to.dtype())), 4 * kSerialWork,
      [&](int64_t first, int64_t last) { std::memset(bytes + first, 0, static_cast<size_t>(last - first)); });
}

}  // namespace

bool gather_elements(const Tensor& values, const Tensor& table, int axis, const Tensor& index) {
  return move(table, axis, index, values, Gather());
}

bool scatter_elements(const Tensor& table, const Tensor& from, int axis, const Tensor& index,
                      const Tensor& values) {
  start(table, from);
  return move(table, axis, index, values, Scatter());
}

namespace {

bool adds_in_f32(Dtype dtype) {
  return is_floating(dtype) && size_of(dtype) < size_of(Dtype::f32);
}

bool add_in_place(const Tensor& table, const Tensor& from, int axis, const Tensor& index,
                  const Tensor& values) {
  start(table, from);
  return visit_dtype(table.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_arithmetic_v<T>)
      return run<T>(table, axis, index, values, Add());
    else
      return true;  // narrow types never come here
  });
}

/// The operands where elements add up in f32.
struct WideSums {
  WideSums(const Tensor& table, const Tensor& from_, const Tensor& values_, Workspace& work)
      : sums(local_tensor(table.shape(), Dtype::f32, work)),
        from(in_row_major_f32(from_, work)),
        values(in_row_major_f32(values_, work)) {}

  LocalTensor sums, from, values;
};

}  // namespace

bool add_elements(const Tensor& table, const Tensor& from, int axis, const Tensor& index,
                  const Tensor& values, void* scratch) {
  if (!adds_in_f32(table.dtype())) return add_in_place(table, from, axis, index, values);
  Workspace work(scratch);
  const WideSums wide(table, from, values, work);
  const bool valid = add_in_place(wide.sums, wide.from, axis, index, wide.values);
  convert_floats(wide.sums, table);
  return valid;
}

size_t scratch_to_add(const Tensor& table, const Tensor& from, const Tensor& values) {
  return adds_in_f32(table.dtype()) ? scratch_of<WideSums>(table, from, values) : 0;
}

void throw_outside(std::string_view name, const Tensor& index, int64_t size, int axis) {
  const std::vector<int64_t> indices =
      index.dtype() == Dtype::i64 ? index.to_vector<int64_t>() : std::vector<int64_t>();
  const std::vector<int32_t> narrow =
      index.dtype() == Dtype::i32 ? index.to_vector<int32_t>() : std::vector<int32_t>();
  for (int64_t at = 0; at < index.numel(); ++at) {
    const auto i = static_cast<size_t>(at);
    const int64_t value = narrow.empty() ? indices[i] : narrow[i];
    if (value >= 0 && value < size) continue;
    throw ValueError(name, "index " + std::to_string(value) + " at position " +
                               to_string(position_of(at, index.shape())) + " of " + describe(index) +
                               " is outside [0, " + std::to_string(size) + "), the size of axis " +
                               std::to_string(axis));
  }
}

}  // namespace espalier
