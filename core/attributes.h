#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/dims.h"
#include "core/dtype.h"
#include "core/export.h"
#include "core/scalar.h"

namespace espalier {

class Operation;

/// An attribute of an operation, as it is printed, compared and saved: absent, a truth value, a whole number,
/// a number, a word, or whole numbers.
using AttributeValue = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>>;

struct ESPALIER_API Attribute {
  std::string name;
  AttributeValue value;
};
/// Numbers are equal where their bits are.
ESPALIER_API bool operator==(const Attribute& a, const Attribute& b) noexcept;
using Attributes = std::vector<Attribute>;

/// `stride=[2, 2], bias=true`, without those that are absent.
ESPALIER_API std::ostream& operator<<(std::ostream& out, const Attributes& attributes);

/// Walks the attributes of an operation, each by its name, to read or to replace them. An operation hands its
/// members to it in visit_attributes(); those of a type that is not listed here are handed on to a function
/// `visit_attribute(AttributeVisitor&, std::string_view name, T&)` beside the type.
class ESPALIER_API AttributeVisitor {
 public:
  virtual ~AttributeVisitor();

  void operator()(std::string_view name, bool& value);
  void operator()(std::string_view name, int& value);
  void operator()(std::string_view name, int64_t& value);
  void operator()(std::string_view name, double& value);
  void operator()(std::string_view name, Scalar& value);
  void operator()(std::string_view name, Dtype& value);
  void operator()(std::string_view name, Dims& value);
  void operator()(std::string_view name, std::string& value);
  void operator()(std::string_view name, std::optional<double>& value);
  void operator()(std::string_view name, std::optional<Scalar>& value);
  void operator()(std::string_view name, std::vector<int64_t>& value);
  /// A list of fixed length.
  void operator()(std::string_view name, std::span<int64_t> values);
  /// Truth values, seen as a list of zeros and ones.
  void operator()(std::string_view name, std::span<bool> values);
  /// The attributes of an operation that is part of this one, with `prefix` before their names.
  void nested(std::string_view prefix, Operation& part);
  /// An enumeration whose values 0, 1, ... have `names`.
  template <class E>
    requires std::is_enum_v<E>
  void operator()(std::string_view name, E& value, std::span<const std::string_view> names) {
    value = static_cast<E>(choice(name, static_cast<size_t>(value), names));
  }
  template <class T>
  void operator()(std::string_view name, T& value) {
    visit_attribute(*this, name, value);
  }

 protected:
  /// Sees an attribute; true where it has put another value in its place.
  virtual bool visit(std::string_view name, AttributeValue& value) = 0;

 private:
  size_t choice(std::string_view name, size_t value, std::span<const std::string_view> names);
};

ESPALIER_API Attributes attributes_of(const Operation& operation);

/// A copy of `model` with these attributes, no more and no fewer than it has. Throws ValueError for one that
/// is missing or unknown or of another kind; what the values mean is for Operation::infer to check.
ESPALIER_API std::unique_ptr<Operation> with_attributes(const Operation& model, const Attributes& attributes);

}  // namespace espalier
