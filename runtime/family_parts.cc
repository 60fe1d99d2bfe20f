#include <algorithm>
#include <cstring>
#include <optional>

#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/expand.h"
#include "runtime/family_parts_internal.h"

namespace espalier::runtime {
namespace {

/// The corners' versions of one thing.
template <class T, class Get>
auto at_corners(const std::vector<T>& corners, const Get& get) {
  std::vector<std::remove_cvref_t<decltype(get(corners.front()))>> all;
  for (const T& corner : corners) all.push_back(get(corner));
  return all;
}

template <class T, class Test>
bool all_of(const std::vector<T>& corners, const Test& test) {
  return std::all_of(corners.begin(), corners.end(), test);
}

Shape shape_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  Shape shape = corners.front().shape();
  for (int i = 0; i < shape.rank(); ++i)
    shape[i] = rules.whole(at_corners(corners, [&](const Tensor& corner) { return corner.size(i); }));
  return shape;
}

AttributeValue attribute_at(const SizeRules& rules, const std::vector<AttributeValue>& corners) {
  const AttributeValue& first = corners.front();
  if (std::holds_alternative<int64_t>(first))
    return rules.whole(
        at_corners(corners, [](const AttributeValue& value) { return std::get<int64_t>(value); }));
  const auto* list = std::get_if<std::vector<int64_t>>(&first);
  if (!list) throw ValueError(kFamily, "differs from size to size and is no whole number");
  std::vector<int64_t> found;
  for (size_t i = 0; i < list->size(); ++i) {
    found.push_back(rules.whole(at_corners(
        corners, [&](const AttributeValue& value) { return std::get<std::vector<int64_t>>(value).at(i); })));
  }
  return found;
}

/// Whether all have the same kind, and lists the same length.
bool of_one_kind(const std::vector<AttributeValue>& values) {
  const auto length = [](const AttributeValue& value) {
    const auto* list = std::get_if<std::vector<int64_t>>(&value);
    return list ? list->size() : 0;
  };
  return all_of(values, [&](const AttributeValue& value) {
    return value.index() == values.front().index() && length(value) == length(values.front());
  });
}

/// Whole numbers one behind the other at even distances.
struct Sequence {
  int64_t start, step, count;
};

std::optional<Sequence> sequence_of(const Tensor& tensor) {
  if (tensor.rank() != 1 || tensor.numel() == 0 || tensor.dtype() == Dtype::boolean) return {};
  const Tensor whole = cast(tensor, Dtype::i64);
  if (!same_constant(cast(whole, tensor.dtype()), contiguous(tensor))) return {};
  const std::vector<int64_t> values = whole.to_vector<int64_t>();
  int64_t step = 1, next = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    if (__builtin_sub_overflow(values[i], values[i - 1], &next) || (i > 1 && next != step)) return {};
    step = next;
  }
  return Sequence{values[0], step, static_cast<int64_t>(values.size())};
}

/// The sequence that goes on from those of the corners; nothing where one of them is none.
std::optional<Tensor> sequence_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  std::vector<Sequence> all;
  for (const Tensor& corner : corners) {
    const auto sequence = sequence_of(corner);
    if (!sequence) return {};
    all.push_back(*sequence);
  }
  const auto number = [&](int64_t Sequence::* member) {
    return rules.whole(at_corners(all, [&](const Sequence& sequence) { return sequence.*member; }));
  };
  int64_t value = number(&Sequence::start);
  const int64_t step = number(&Sequence::step), count = number(&Sequence::count);
  if (count < 0) throw ValueError(kFamily, "has a length below 0");
  Tensor made = empty({count}, Dtype::i64);
  auto* const elements = made.mutable_data<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    elements[i] = value;
    if (i + 1 < count && __builtin_add_overflow(value, step, &value))
      throw ValueError(kFamily, "becomes too large a number");
  }
  return cast(made, corners.front().dtype());
}

}  // namespace

std::string place_of_node(const Graph& graph, size_t index) {
  return "node " + std::to_string(index) + ", " + std::string(graph.nodes()[index].operation->name());
}

bool same_constant(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.strides() == b.strides() &&
         (a.raw_data() == b.raw_data() ||
          std::memcmp(a.raw_data(), b.raw_data(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0);
}

std::optional<Tensor> repeated_number(const Tensor& tensor) {
  const size_t size = size_of(tensor.dtype());
  const auto* const bytes = static_cast<const char*>(tensor.raw_data());
  if (tensor.numel() == 0 || !tensor.is_contiguous()) return {};
  for (int64_t i = 1; i < tensor.numel(); ++i) {
    if (std::memcmp(bytes, bytes + static_cast<size_t>(i) * size, size) != 0) return {};
  }
  return tensor.with_layout({}, {}, tensor.offset());
}

std::shared_ptr<const Operation> operation_at(const SizeRules& rules, const std::vector<Graph>& corners,
                                              size_t node) {
  const auto all =
      at_corners(corners, [&](const Graph& graph) { return attributes_of(*graph.nodes()[node].operation); });
  const std::shared_ptr<const Operation>& first = corners.front().nodes()[node].operation;
  if (all_of(all, [&](const Attributes& attributes) { return attributes == all.front(); })) return first;
  Attributes found = all.front();
  if (!all_of(all, [&](const Attributes& attributes) { return attributes.size() == found.size(); }))
    throw ValueError(kFamily,
                     place_of_node(corners.front(), node) + ": has other attributes at another size");
  for (size_t i = 0; i < found.size(); ++i) {
    const auto values = at_corners(all, [&](const Attributes& attributes) { return attributes.at(i).value; });
    if (all_of(all, [&](const Attributes& attributes) { return attributes[i] == found[i]; })) continue;
    try {
      if (!of_one_kind(values)) throw ValueError(kFamily, "is of another kind at another size");
      found[i].value = attribute_at(rules, values);
    } catch (const ValueError& error) {
      throw ValueError(
          kFamily, place_of_node(corners.front(), node) + ": its " + found[i].name + ' ' + error.message());
    }
  }
  return with_attributes(*first, found);
}

Tensor constant_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  const Tensor& first = corners.front();
  if (all_of(corners, [&](const Tensor& corner) { return same_constant(corner, first); })) return first;
  if (const std::optional<Tensor> sequence = sequence_at(rules, corners)) return *sequence;
  const std::optional<Tensor> number = repeated_number(first);
  const bool one_number = number && all_of(corners, [&](const Tensor& corner) {
                            const std::optional<Tensor> other = repeated_number(corner);
                            return other && corner.rank() == first.rank() && same_constant(*other, *number);
                          });
  if (!one_number) {
    throw ValueError(kFamily,
                     "differs from size to size, and is neither one number repeated nor evenly spaced");
  }
  return contiguous(expand(*number, shape_at(rules, corners)));
}

Tensor input_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  const Tensor& first = corners.front();
  const Shape shape = shape_at(rules, corners);
  checked_count(shape, kFamily);
  return empty_strided(shape, strides_nested_like(shape, first.shape(), first.strides()), first.dtype(),
                       kMeta);
}

}  // namespace espalier::runtime
