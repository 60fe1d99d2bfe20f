#include "io/read_metrics.h"

#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/mapped_file.h"

namespace espalier::io {
namespace {

using Json = nlohmann::ordered_json;

/// Throws std::invalid_argument, or one of the library's errors, for what is no row above `last`.
MetricsRow row_of(std::string_view line, int64_t last) {
  const Json json = Json::parse(line);
  const Json& step = json.at("step");
  if (!step.is_number_integer()) throw std::invalid_argument("its step is no integer");
  MetricsRow row{step.get<int64_t>(), {}};  // beyond 2^63 - 1: negative
  if (row.step <= last) throw std::invalid_argument("its step does not rise");
  for (const auto& [name, value] : json.items()) {
    if (name == "step") continue;
    row.metrics.push_back(
        {name, value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>()});
  }
  return row;
}

}  // namespace

std::vector<MetricsRow> parse_metrics(std::string_view content, const std::string& name) {
  std::vector<MetricsRow> rows;
  for (size_t number = 1; !content.empty(); ++number) {
    const size_t end = content.find('\n');
    if (end == content.npos) break;
    try {
      rows.push_back(row_of(content.substr(0, end), rows.empty() ? -1 : rows.back().step));
    } catch (const std::exception&) {
      throw FormatError(
          name, "line " + std::to_string(number) +
                    " is no row of metrics; expected {\"step\":N,\"name\":number,...} with rising steps");
    }
    content.remove_prefix(end + 1);
  }
  return rows;
}

std::vector<MetricsRow> read_metrics(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_metrics({reinterpret_cast<const char*>(file.data()), file.size()}, path.string());
}

}  // namespace espalier::io
