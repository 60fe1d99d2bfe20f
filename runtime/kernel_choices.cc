#include "runtime/kernel_choices.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "core/cpu_features.h"
#include "core/error.h"
#include "io/atomic_file.h"

namespace espalier::runtime {
namespace {

using ChoicesJson = nlohmann::ordered_json;

constexpr const char* kChoicesFormat = "espalier kernel choices";
constexpr int kChoicesVersion = 1;
constexpr double kMicro = 1e6;

/// The line `model name : ...` of Linux' /proc/cpuinfo.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

KernelChoices::Timings timings_of(const ChoicesJson& json) {
  KernelChoices::Timings timings;
  for (const ChoicesJson& timing : json)
    timings.push_back({timing.at("kernel").get<std::string>(), timing.at("us").get<double>() / kMicro});
  return timings;
}

void check_timings(const std::string& problem, const KernelChoices::Timings& timings) {
  const bool sound =
      !timings.empty() && std::all_of(timings.begin(), timings.end(), [](const KernelTiming& timing) {
        return std::isfinite(timing.seconds) && timing.seconds >= 0;
      });
  if (!sound)
    throw ValueError("kernel choices", "no times, or one that is negative or not finite, for " + problem);
}

}  // namespace

KernelChoices KernelChoices::load(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return {};
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw IoError(path.string(), "cannot be read");
  KernelChoices choices;
  try {
    const ChoicesJson json = ChoicesJson::parse(text);
    if (json.at("format") != kChoicesFormat) throw FormatError(path.string(), "holds no kernel choices");
    if (const int version = json.at("version").get<int>(); version != kChoicesVersion) {
      throw FormatError(path.string(), "has version " + std::to_string(version) + "; this program knows " +
                                           std::to_string(kChoicesVersion));
    }
    for (const auto& [machine, problems] : json.at("machines").items()) {
      for (const auto& [problem, timings] : problems.items()) {
        KernelChoices::Timings read = timings_of(timings);
        check_timings(problem, read);
        choices.by_machine_[machine][problem] = std::move(read);
      }
    }
  } catch (const ChoicesJson::exception& e) {
    throw FormatError(path.string(), std::string("holds no kernel choices: ") + e.what());
  } catch (const ValueError& e) {
    throw FormatError(path.string(), e.message());
  }
  return choices;
}

void KernelChoices::save(const std::filesystem::path& path) const {
  ChoicesJson machines = ChoicesJson::object();
  for (const auto& [machine, problems] : by_machine_) {
    for (const auto& [problem, timings] : problems) {
      for (const KernelTiming& timing : timings) {
        // Nanoseconds are digits enough.
        const double microseconds = std::round(timing.seconds * 1e9) / 1e3;
        machines[machine][problem].push_back({{"kernel", timing.kernel}, {"us", microseconds}});
      }
    }
  }
  const ChoicesJson json{{"format", kChoicesFormat}, {"version", kChoicesVersion}, {"machines", machines}};
  io::AtomicFile file(path);
  file.write(json.dump(1) + '\n');
  file.commit();
}

const KernelChoices::Timings* KernelChoices::find(const std::string& problem) const {
  const auto& known = problems();
  const auto found = known.find(problem);
  return found == known.end() ? nullptr : &found->second;
}

void KernelChoices::add(const std::string& problem, Timings timings) {
  check_timings(problem, timings);
  std::stable_sort(timings.begin(), timings.end(),
                   [](const KernelTiming& a, const KernelTiming& b) { return a.seconds < b.seconds; });
  by_machine_[machine()][problem] = std::move(timings);
}

const std::map<std::string, KernelChoices::Timings>& KernelChoices::problems() const {
  static const std::map<std::string, Timings> kNone;
  const auto found = by_machine_.find(machine());
  return found == by_machine_.end() ? kNone : found->second;
}

std::string KernelChoices::machine() {
  static const std::string processor = processor_name();
  return processor + ", " + std::string(cpu_level_name(cpu_level()));
}

}  // namespace espalier::runtime
