#include "core/attributes.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "core/error.h"
#include "core/operation.h"

namespace espalier {
namespace {

constexpr const char* kKinds[] = {"nothing",  "a truth value", "a whole number",
                                  "a number", "a word",        "whole numbers"};

std::string shortest(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, std::end(digits), value).ptr};
}

struct Print {
  std::ostream& out;
  void operator()(std::monostate) const { out << "absent"; }
  void operator()(bool value) const { out << (value ? "true" : "false"); }
  void operator()(int64_t value) const { out << value; }
  void operator()(double value) const { out << shortest(value); }
  void operator()(const std::string& value) const { out << value; }
  void operator()(const std::vector<int64_t>& values) const {
    out << '[';
    for (size_t i = 0; i < values.size(); ++i) out << (i ? ", " : "") << values[i];
    out << ']';
  }
};

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw ValueError("attribute '" + std::string(name) + "'", why);
}

template <class T>
const T& get(std::string_view name, const AttributeValue& value) {
  if (const T* held = std::get_if<T>(&value)) return *held;
  refuse(name,
         std::string("is ") + kKinds[value.index()] + "; expected " + kKinds[AttributeValue(T()).index()]);
}

double get_number(std::string_view name, const AttributeValue& value) {
  if (const int64_t* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  return get<double>(name, value);
}

AttributeValue value_of(Scalar scalar) {
  if (scalar.dtype() == Dtype::boolean) return scalar.to_int() != 0;
  if (scalar.is_floating()) return scalar.to_double();
  return scalar.to_int();
}

Scalar get_scalar(std::string_view name, const AttributeValue& value) {
  if (const bool* truth = std::get_if<bool>(&value)) return *truth;
  if (const int64_t* whole = std::get_if<int64_t>(&value)) return *whole;
  return get<double>(name, value);
}

class Collector final : public AttributeVisitor {
 public:
  Attributes attributes;

 protected:
  bool visit(std::string_view name, AttributeValue& value) override {
    attributes.push_back({std::string(name), std::move(value)});
    return false;
  }
};

class Setter final : public AttributeVisitor {
 public:
  explicit Setter(const Attributes& from) : left_(from) {}
  const Attributes& left() const noexcept { return left_; }

 protected:
  bool visit(std::string_view name, AttributeValue& value) override {
    const auto found = std::find_if(left_.begin(), left_.end(),
                                    [&](const Attribute& attribute) { return attribute.name == name; });
    if (found == left_.end()) refuse(name, "is missing");
    value = std::move(found->value);
    left_.erase(found);
    return true;
  }

 private:
  Attributes left_;
};

}  // namespace

bool operator==(const Attribute& a, const Attribute& b) noexcept {
  if (a.name != b.name || a.value.index() != b.value.index()) return false;
  const double* number = std::get_if<double>(&a.value);
  return number ? std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(std::get<double>(b.value))
                : a.value == b.value;
}

std::ostream& operator<<(std::ostream& out, const Attributes& attributes) {
  const char* separator = "";
  for (const Attribute& attribute : attributes) {
    if (std::holds_alternative<std::monostate>(attribute.value)) continue;
    out << separator << attribute.name << '=';
    std::visit(Print{out}, attribute.value);
    separator = ", ";
  }
  return out;
}

AttributeVisitor::~AttributeVisitor() = default;

void AttributeVisitor::operator()(std::string_view name, bool& value) {
  AttributeValue seen = value;
  if (visit(name, seen)) value = get<bool>(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, int& value) {
  int64_t wide = value;
  (*this)(name, wide);
  value = static_cast<int>(wide);
  if (value != wide) refuse(name, "is " + std::to_string(wide) + ", which no int holds");
}

void AttributeVisitor::operator()(std::string_view name, int64_t& value) {
  AttributeValue seen = value;
  if (visit(name, seen)) value = get<int64_t>(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, double& value) {
  AttributeValue seen = value;
  if (visit(name, seen)) value = get_number(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, Scalar& value) {
  AttributeValue seen = value_of(value);
  if (visit(name, seen)) value = get_scalar(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, Dtype& value) {
  std::string_view names[kDtypeCount];
  for (int i = 0; i < kDtypeCount; ++i) names[i] = to_string(static_cast<Dtype>(i));
  value = static_cast<Dtype>(choice(name, static_cast<size_t>(value), names));
}

void AttributeVisitor::operator()(std::string_view name, Dims& value) {
  AttributeValue seen = std::vector<int64_t>(value.begin(), value.end());
  if (!visit(name, seen)) return;
  const auto& entries = get<std::vector<int64_t>>(name, seen);
  if (entries.size() > kMaxRank) {
    refuse(name, "has " + std::to_string(entries.size()) + " entries; at most " + std::to_string(kMaxRank));
  }
  value = Dims(std::span<const int64_t>(entries));
}

void AttributeVisitor::operator()(std::string_view name, std::string& value) {
  AttributeValue seen = value;
  if (visit(name, seen)) value = get<std::string>(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, std::vector<int64_t>& value) {
  AttributeValue seen = value;
  if (visit(name, seen)) value = get<std::vector<int64_t>>(name, seen);
}

void AttributeVisitor::operator()(std::string_view name, std::optional<double>& value) {
  AttributeValue seen = value ? AttributeValue(*value) : AttributeValue();
  if (!visit(name, seen)) return;
  value = std::holds_alternative<std::monostate>(seen) ? std::nullopt : std::optional(get_number(name, seen));
}

void AttributeVisitor::operator()(std::string_view name, std::optional<Scalar>& value) {
  AttributeValue seen = value ? value_of(*value) : AttributeValue();
  if (!visit(name, seen)) return;
  value = std::holds_alternative<std::monostate>(seen) ? std::nullopt : std::optional(get_scalar(name, seen));
}

void AttributeVisitor::operator()(std::string_view name, std::span<int64_t> values) {
  AttributeValue seen = std::vector<int64_t>(values.begin(), values.end());
  if (!visit(name, seen)) return;
  const auto& entries = get<std::vector<int64_t>>(name, seen);
  if (entries.size() != values.size()) {
    refuse(name,
           "has " + std::to_string(entries.size()) + " entries; expected " + std::to_string(values.size()));
  }
  std::copy(entries.begin(), entries.end(), values.begin());
}

void AttributeVisitor::operator()(std::string_view name, std::span<bool> values) {
  std::vector<int64_t> bits(values.begin(), values.end());
  (*this)(name, std::span<int64_t>(bits));
  std::transform(bits.begin(), bits.end(), values.begin(), [](int64_t bit) { return bit != 0; });
}

void AttributeVisitor::nested(std::string_view prefix, Operation& part) {
  class Prefixed final : public AttributeVisitor {
   public:
    Prefixed(AttributeVisitor& whole, std::string_view prefix) : whole_(whole), prefix_(prefix) {}

   protected:
    bool visit(std::string_view name, AttributeValue& value) override {
      return whole_.visit(prefix_ + std::string(name), value);
    }

   private:
    AttributeVisitor& whole_;
    std::string prefix_;
  };
  Prefixed visitor(*this, prefix);
  part.visit_attributes(visitor);
}

size_t AttributeVisitor::choice(std::string_view name, size_t value,
                                std::span<const std::string_view> names) {
  AttributeValue seen = std::string(names[value]);
  if (!visit(name, seen)) return value;
  const std::string& word = get<std::string>(name, seen);
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) {
    std::string known;
    for (std::string_view one : names) known += (known.empty() ? "" : ", ") + std::string(one);
    refuse(name, "is '" + word + "'; expected one of " + known);
  }
  return static_cast<size_t>(found - names.begin());
}

Attributes attributes_of(const Operation& operation) {
  Collector collector;
  operation.clone()->visit_attributes(collector);
  return std::move(collector.attributes);
}

std::unique_ptr<Operation> with_attributes(const Operation& model, const Attributes& attributes) {
  std::unique_ptr<Operation> operation = model.clone();
  Setter setter(attributes);
  operation->visit_attributes(setter);
  if (!setter.left().empty()) refuse(setter.left()[0].name, "is unknown");
  return operation;
}

}  // namespace espalier
