#include "cli/recipe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <sstream>
#include <type_traits>

#include <toml++/toml.h>

#include "cli/nearest.h"
#include "core/error.h"
#include "data/text.h"

namespace espalier::cli {
namespace {

std::string shortest(double value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

template <class T>
bool parse(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && !text.empty();
}

/// The range of a number in words.
std::string range(const Key& key) {
  constexpr double kAny = std::numeric_limits<double>::max();
  if (key.least == -kAny && key.most == kAny) return "";
  return " from " + shortest(key.least) + " to " + shortest(key.most);
}

/// Reads the value of one key.
struct Reader {
  const Key& key;
  const std::string& text;
  const std::string& where;

  [[noreturn]] void refuse(const std::string& expected) const {
    throw ValueError(where, key.name + " is '" + text + "'; expected " + expected);
  }
  bool in_range(double value) const { return value >= key.least && value <= key.most; }

  void operator()(std::string& value) const {
    if (!key.choices.empty() &&
        std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
      throw ValueError(where, key.name + " is '" + text + "'; there are " + listing(key.choices) +
                                  did_you_mean(text, key.choices));
    }
    value = text;
  }
  void operator()(int64_t& value) const {
    int64_t number = 0;
    if (!parse(text, number) || !in_range(static_cast<double>(number))) refuse("a whole number" + range(key));
    value = number;
  }
  void operator()(double& value) const {
    double number = 0;
    if (!parse(text, number) || !in_range(number)) refuse("a number" + range(key));
    value = number;
  }
  void operator()(bool& value) const {
    if (text != "true" && text != "false") refuse("true or false");
    value = text == "true";
  }
  void operator()(std::vector<double>& value) const {
    std::vector<double> numbers;
    for (std::string_view rest = text; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      double number = 0;
      if (!parse(rest.substr(0, comma), number) || !std::isfinite(number))
        refuse("numbers with commas between them");
      numbers.push_back(number);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    value = numbers;
  }
};

struct Writer {
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return shortest(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::vector<double>& values) const {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : ",") + shortest(value);
    return text;
  }
};

/// A TOML value as set() takes it; `join` stands between the elements of an array.
std::string text_of(const toml::node& node, const std::string& where, const char* join = ",") {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return shortest(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* list = node.as_array()) {
    std::string text;
    for (const toml::node& element : *list) {
      if (element.is_array())
        throw ValueError(where, "is an array of arrays; expected one of numbers or of texts");
      text += (text.empty() ? "" : join) + text_of(element, where);
    }
    return text;
  }
  throw ValueError(
      where, "is neither text nor number, true, false or an array; recipes have no sections and no dates");
}

}  // namespace

void set(Recipe& recipe, std::string_view name, const std::string& text, const std::string& where) {
  const auto key =
      std::find_if(keys().begin(), keys().end(), [&](const Key& one) { return one.name == name; });
  if (key == keys().end())
    throw ValueError(where,
                     "'" + std::string(name) + "' is no key of a recipe" + did_you_mean(name, key_names()));
  std::visit([&](auto member) { Reader{*key, text, where}(recipe.*member); }, key->member);
}

std::string text_of(const Recipe& recipe, const Key& key) {
  return std::visit([&](auto member) { return Writer()(recipe.*member); }, key.member);
}

void parse_recipe(Recipe& recipe, std::string_view toml, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    std::string what(error.description());
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw FormatError(name, "line " + std::to_string(error.source().begin.line) + ", column " +
                                std::to_string(error.source().begin.column) + " is not TOML: " + what);
  }
  Recipe read = recipe;
  for (const auto& [key, node] : table) {
    const std::string key_name(key.str());
    const std::string where = name + ", line " + std::to_string(node.source().begin.line);
    if (std::find(key_names().begin(), key_names().end(), key_name) == key_names().end())
      set(read, key_name, "", where);  // refuses
    set(read, key_name, text_of(node, where + ", " + key_name, key_name == "model" ? ", " : ","), where);
  }
  recipe = read;
}

void read_recipe(Recipe& recipe, const std::filesystem::path& path) {
  parse_recipe(recipe, data::read_text(path), path.string());
}

std::map<std::string, std::string> notes(const Recipe& recipe) {
  std::map<std::string, std::string> result;
  for (const Key& key : keys()) result[key.name] = text_of(recipe, key);
  return result;
}

}  // namespace espalier::cli
