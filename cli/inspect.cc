#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/recipe.h"
#include "cli/tensor_file.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "report/table.h"

namespace espalier::cli {
namespace {

/// Of a tensor's finite elements.
struct Statistics {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  double sum = 0, squares = 0;
  int64_t finite = 0, zeros = 0, others = 0;

  double mean() const { return sum / static_cast<double>(finite); }
  double deviation() const {
    return std::sqrt(std::max(0.0, squares / static_cast<double>(finite) - mean() * mean()));
  }
};

Statistics statistics_of(const Tensor& tensor) {
  constexpr int64_t kPart = 1 << 20;  // elements that are in memory as f64 at a time
  Statistics result;
  const Tensor flat = reshape(tensor, {tensor.numel()});
  for (int64_t first = 0; first < flat.numel(); first += kPart) {
    const Tensor part = slice(flat, 0, {first, std::min(first + kPart, flat.numel())});
    for (const double value : cast(part, Dtype::f64).to_vector<double>()) {
      if (!std::isfinite(value)) {
        ++result.others;
        continue;
      }
      result.least = std::min(result.least, value);
      result.most = std::max(result.most, value);
      result.sum += value;
      result.squares += value * value;
      ++result.finite;
      result.zeros += value == 0;
    }
  }
  return result;
}

std::string brief(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

nlohmann::json json_of(const TensorFile& file, bool fast) {
  nlohmann::json json = {{"kind", file.kind}, {"tensors", nlohmann::json::array()}};
  for (const auto& [name, tensor] : file.tensors) {
    nlohmann::json entry = {{"name", name},
                            {"dtype", to_string(tensor.dtype())},
                            {"shape", std::vector<int64_t>(tensor.shape().begin(), tensor.shape().end())}};
    if (!fast && tensor.numel() > 0) {
      const Statistics all = statistics_of(tensor);
      entry["min"] = number(all.least);
      entry["max"] = number(all.most);
      entry["mean"] = number(all.mean());
      entry["deviation"] = number(all.deviation());
      entry["zeros"] = all.zeros;
      entry["not_finite"] = all.others;
    }
    json["tensors"].push_back(std::move(entry));
  }
  if (!file.texts.empty()) json["texts"] = file.texts;
  if (file.step) json["step"] = *file.step;
  for (const auto& [name, value] : file.metrics) json["metrics"][name] = number(value);
  return json;
}

void print(const TensorFile& file, bool fast) {
  if (file.step) std::cout << "step " << *file.step << '\n';
  for (const auto& [name, value] : file.metrics) std::cout << name << ' ' << report::fixed(value, 4) << '\n';
  static const std::map<std::string, std::string> standard = notes(Recipe());
  for (const auto& [name, text] : file.texts) {
    const auto found = standard.find(name);
    if (found == standard.end() || found->second != text) std::cout << name << ": " << text << '\n';
  }
  std::vector<std::string> header = {"tensor", "type", "shape", "elements"};
  if (!fast) header.insert(header.end(), {"min", "max", "mean", "deviation", "zeros"});
  report::Table table(header);
  int64_t elements = 0, bytes = 0, not_finite = 0;
  for (const auto& [name, tensor] : file.tensors) {
    std::vector<std::string> row = {name, std::string(to_string(tensor.dtype())), to_string(tensor.shape()),
                                    std::to_string(tensor.numel())};
    if (!fast) {
      const Statistics all = statistics_of(tensor);
      if (all.finite > 0)
        row.insert(row.end(), {brief(all.least), brief(all.most), brief(all.mean()), brief(all.deviation()),
                               std::to_string(all.zeros)});
      else
        row.resize(header.size(), "-");
      not_finite += all.others;
    }
    table.add_row(row);
    elements += tensor.numel();
    bytes += tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  }
  std::cout << table << file.tensors.size() << " tensors, " << elements << " elements, " << bytes
            << " bytes\n";
  if (not_finite > 0) std::cout << not_finite << " elements are NaN or infinite\n";
}

}  // namespace

Exit inspect(const InspectFlags& flags) {
  if (flags.files.empty()) throw ValueError("inspect", "expected files to look into");
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& name : flags.files) {
    const TensorFile file = read_tensors(name);
    if (flags.json) {
      all.push_back(json_of(file, flags.fast));
      all.back()["file"] = name;
      continue;
    }
    std::cout << name << ": " << file.kind << '\n';
    print(file, flags.fast);
  }
  if (flags.json) std::cout << all.dump() << '\n';
  return Exit::done;
}

}  // namespace espalier::cli
