#include "core/print.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "core/backend.h"
#include "core/decimal_internal.h"
#include "core/strided_copy_internal.h"

namespace espalier {
namespace {

// NumPy's defaults: numpy.set_printoptions.
constexpr int64_t kThreshold = 1000;  ///< elements beyond which they are summarised
constexpr int64_t kEdge = 3;          ///< that many are shown at each end of an axis then
constexpr size_t kWidth = 75;         ///< of a line
constexpr int kPrecision = 8;         ///< digits behind the point

/// The indices of an axis that are shown; -1 stands for those left out.
std::vector<int64_t> shown(int64_t size, bool summarised) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < size; ++i) {
    if (summarised && size > 2 * kEdge && i == kEdge) {
      indices.push_back(-1);
      i = size - kEdge;
    }
    indices.push_back(i);
  }
  return indices;
}

/// The shown elements in row-major order.
template <class T>
std::vector<T> gather_shown(const Tensor& tensor, bool summarised) {
  std::vector<T> elements;
  const auto* first = static_cast<const T*>(tensor.raw_data());
  const auto walk = [&](const auto& self, int axis, int64_t place) -> void {
    if (axis == tensor.rank()) return elements.push_back(first[place]);
    for (const int64_t i : shown(tensor.shape()[axis], summarised)) {
      if (i >= 0) self(self, axis + 1, place + i * tensor.strides()[axis]);
    }
  };
  walk(walk, 0, 0);
  return elements;
}

void pad_to(std::string& text, size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
}

/// Brings all to the width of the longest.
std::vector<std::string> aligned(std::vector<std::string> words) {
  size_t width = 0;
  for (const std::string& word : words) width = std::max(width, word.size());
  for (std::string& word : words) pad_to(word, width);
  return words;
}

std::string name_of_special(double value) {
  return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

/// Decimals of the shown elements with the point in one column.
template <class T>
std::vector<std::string> float_words(const std::vector<T>& elements) {
  constexpr double kLarge = sizeof(T) == 8 ? 1e8 : sizeof(T) == 4 ? 1e6 : 1e3;
  double largest = 0, smallest = HUGE_VAL;
  for (const T element : elements) {
    const double size = std::abs(to_double(element));
    if (!std::isfinite(size) || size == 0) continue;
    largest = std::max(largest, size);
    smallest = std::min(smallest, size);
  }
  const bool scientific = largest > 0 && (largest >= kLarge || smallest < 1e-4 || largest / smallest > 1000);
  std::vector<DecimalParts> parts;
  size_t before = 0, behind = 0, exponent = 0;
  for (const T element : elements) {
    if (!std::isfinite(to_double(element))) {
      parts.push_back({});
      continue;
    }
    parts.push_back(scientific ? scientific_parts(element, kPrecision)
                               : positional_parts(element, kPrecision));
    before = std::max(before, parts.back().before.size());
    behind = std::max(behind, parts.back().behind.size());
    exponent = std::max(exponent, parts.back().exponent.size());
  }
  std::vector<std::string> words;
  for (size_t i = 0; i < elements.size(); ++i) {
    DecimalParts& part = parts[i];
    if (!std::isfinite(to_double(elements[i]))) {
      words.push_back(name_of_special(to_double(elements[i])));
      continue;
    }
    // Scientific ones are filled up with further digits of the number, the others with blanks.
    if (scientific) part = rounded_parts(to_double(elements[i]), static_cast<int>(behind));
    while (scientific && part.exponent.size() < exponent) part.exponent.insert(2, 1, '0');  // behind the sign
    pad_to(part.before, before);
    part.behind.resize(behind, ' ');
    words.push_back(part.before + '.' + part.behind + part.exponent);
  }
  return aligned(std::move(words));
}

template <class T>
std::vector<std::string> words_of(const std::vector<T>& elements) {
  std::vector<std::string> words;
  if constexpr (std::is_same_v<T, bool>) {
    // One column wider than the words, as in NumPy.
    for (const bool element : elements) words.emplace_back(element ? " True" : "False");
  } else if constexpr (std::is_integral_v<T>) {
    for (const T element : elements) words.push_back(std::to_string(element));
  } else {
    return float_words(elements);
  }
  return aligned(std::move(words));
}

template <class T>
std::string scalar_word(T element) {
  if constexpr (std::is_same_v<T, bool>) {
    return element ? "True" : "False";
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(element);
  } else {
    const double value = to_double(element);
    return std::isfinite(value) ? in_full(element) : name_of_special(value);
  }
}

/// Puts the words between brackets, axis by axis.
class Layout {
 public:
  Layout(const Shape& shape, bool summarised, const std::vector<std::string>& words)
      : shape_(shape), summarised_(summarised), word_(words.begin()) {}

  std::string text() { return axis(0); }

 private:
  std::string axis(int depth) {
    const std::vector<int64_t> indices = shown(shape_[depth], summarised_);
    const std::string indent(static_cast<size_t>(depth) + 1, ' ');
    return '[' + (depth + 1 == shape_.rank() ? row(indices, indent) : block(indices, indent, depth)) + ']';
  }

  /// The innermost axis, broken into lines; the width leaves room for the brackets that close.
  std::string row(const std::vector<int64_t>& indices, const std::string& indent) {
    const size_t width = kWidth - static_cast<size_t>(shape_.rank());
    std::string text, line = indent;
    for (size_t i = 0; i < indices.size(); ++i) {
      const std::string word = indices[i] < 0 ? "..." : *word_++;
      if (i > 0) line += ' ';
      if (line.size() + word.size() > width && line.size() > indent.size()) {
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
        line = indent;
      }
      line += word;
    }
    return (text + line).substr(indent.size());
  }

  std::string block(const std::vector<int64_t>& indices, const std::string& indent, int depth) {
    const std::string gap(static_cast<size_t>(shape_.rank() - depth - 1), '\n');
    std::string text;
    for (size_t i = 0; i < indices.size(); ++i) {
      if (i > 0) text += gap + indent;
      text += indices[i] < 0 ? "..." : axis(depth + 1);
    }
    return text;
  }

  Shape shape_;
  bool summarised_;
  std::vector<std::string>::const_iterator word_;
};

/// `tensor` in the host's memory.
Tensor on_host(const Tensor& tensor) {
  if (tensor.device().type == DeviceType::cpu) return tensor;
  // The whole block, so that the layout stays what it is.
  const Storage& storage = *tensor.body().storage;
  Ref<Storage> copied = make_ref<Storage>(storage.bytes(), kCpu);
  Backend& owner = backend(tensor.device());
  const Stream stream = owner.current_stream(tensor.device());
  owner.copy(copied->data(), kCpu, storage.data(), tensor.device(), storage.bytes(), stream);
  owner.synchronize(stream);
  return Tensor(make_ref<TensorBody>(std::move(copied), tensor.dtype(), tensor.shape(), tensor.strides(),
                                     tensor.offset()));
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  if (tensor.device().type == DeviceType::meta) return "...";
  if (tensor.numel() == 0) return "[]";
  const Tensor host = on_host(tensor);
  return visit_dtype(host.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (host.rank() == 0) return scalar_word(*static_cast<const T*>(host.raw_data()));
    const bool summarised = host.numel() > kThreshold;
    const std::vector<std::string> words = words_of(gather_shown<T>(host, summarised));
    return Layout(host.shape(), summarised, words).text();
  });
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "undefined";
  const std::string text = to_string(tensor);
  return out << text << (text.find('\n') == std::string::npos ? ' ' : '\n') << describe(tensor);
}

}  // namespace espalier
