#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/export.h"

namespace espalier::runtime {

/// How long a kernel takes for a problem.
struct KernelTiming {
  std::string kernel;
  double seconds;
};

/// Which kernel runs a problem where several take it, by the time that each took. A plan that is made with
/// choices takes the fastest that it finds here, and times the kernels of a problem that it does not find:
/// once, at the problem's real shapes and number of threads. Kept in a file, so that runs can be reproduced:
///
///   runtime::KernelChoices choices = runtime::KernelChoices::load("kernels.json");
///   const runtime::Plan plan(graph, {.choices = &choices});
///   choices.save("kernels.json");
///
/// Kernels may differ in the last digits; the same choices give the same digits. The file can be edited: the
/// first kernel of a problem counts. One thread at a time may use an object.
class ESPALIER_API KernelChoices {
 public:
  /// Fastest first.
  using Timings = std::vector<KernelTiming>;

  /// Of a file; none where it does not exist. Choices of other machines are kept. Throws IoError, and
  /// FormatError for what save() does not write.
  static KernelChoices load(const std::filesystem::path& path);
  /// Writes the file whole or not at all. Throws IoError.
  void save(const std::filesystem::path& path) const;

  /// Of a problem on this machine; null: it was not timed.
  const Timings* find(const std::string& problem) const;
  /// Throws ValueError where there is none, or a time is negative or not finite.
  void add(const std::string& problem, Timings timings);

  /// What is known of this machine, by problem: operation with attributes, types and layouts of its inputs,
  /// threads.
  const std::map<std::string, Timings>& problems() const;

  /// The processor's name and the instruction set in use.
  static std::string machine();

 private:
  std::map<std::string, std::map<std::string, Timings>> by_machine_;
};

}  // namespace espalier::runtime
