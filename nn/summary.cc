#include "nn/summary.h"

#include <algorithm>
#include <cstdio>

namespace espalier::nn::detail {
namespace {

std::string readable_bytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string row(const std::string& name, size_t width, const std::string& shape, const std::string& elements,
                const std::string& bytes, const std::string& note) {
  char text[512];
  std::snprintf(text, sizeof text, "%-*s  %-22s  %12s  %10s%s%s\n", static_cast<int>(width), name.c_str(),
                shape.c_str(), elements.c_str(), bytes.c_str(), note.empty() ? "" : "  ", note.c_str());
  return text;
}

}  // namespace

std::string summary(const std::vector<StateEntry>& entries) {
  size_t width = 5;
  for (const StateEntry& entry : entries) width = std::max(width, entry.name.size());
  std::string text = row("name", width, "type and shape", "elements", "bytes", "");
  int64_t trained = 0, parameters = 0, bytes = 0;
  for (const StateEntry& entry : entries) {
    const int64_t size = entry.tensor.numel() * static_cast<int64_t>(size_of(entry.tensor.dtype()));
    const bool parameter = entry.kind == Visitor::Kind::parameter;
    std::string note = parameter ? (entry.tensor.requires_grad() ? "" : "frozen") : "buffer";
    if (entry.tied_to.empty()) {
      bytes += size;
      if (parameter) parameters += entry.tensor.numel();
      if (parameter && entry.tensor.requires_grad()) trained += entry.tensor.numel();
    } else {
      note = "is " + entry.tied_to;
    }
    text += row(entry.name, width, describe(entry.tensor), std::to_string(entry.tensor.numel()),
                readable_bytes(size), note);
  }
  return text + row("total", width, "", std::to_string(parameters), readable_bytes(bytes),
                    std::to_string(trained) + " trained");
}

}  // namespace espalier::nn::detail
