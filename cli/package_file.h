#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/problem.h"
#include "runtime/family_runner.h"
#include "runtime/kernel_choices.h"
#include "runtime/package.h"

namespace espalier::cli {

/// Sizes of axes as flags name them, `time=64`. Throws ValueError for what is none.
runtime::Sizes sizes_of(std::span<const std::string> texts);

/// Reads what `espalier compile` writes. Throws ValueError where no file is named, and what
/// runtime::load_package() throws.
runtime::Package read_package(const std::string& file);

/// What the flag --strict asks for.
runtime::Equality equality(bool strict);

/// Throws ValueError for a number of examples at once that cannot be.
void check_batch(const std::optional<int64_t>& batch);

/// The names of the free axes, each once.
std::vector<std::string> free_names(const runtime::GraphFamily& graphs);

/// The name of the first axis of the first input, the batch, where it is free.
std::optional<std::string> free_batch(const runtime::GraphFamily& graphs);

/// Of so many examples.
Shape batch_shape(const Problem& problem, int64_t batch);
/// Images of bytes as numbers from 0 to 1, other inputs as they are: as the graphs of packages take them.
Tensor as_input(const Tensor& inputs);

/// The graphs of a package, ready to run, perhaps on kernels that a file chooses.
class PackageRunner {
 public:
  /// `kernels` names a file of kernel choices, or none. Throws ValueError where there is one and `equality`
  /// is strict.
  PackageRunner(runtime::GraphFamily graphs, const std::string& kernels, runtime::Equality equality);

  runtime::FamilyRunner& graphs() noexcept { return graphs_; }
  /// Null where there is no file.
  const runtime::KernelChoices* choices() const noexcept { return choices_.get(); }
  /// Adds to the file what was timed because it was missing there.
  void save_choices() const;

 private:
  std::string kernels_;
  std::unique_ptr<runtime::KernelChoices> choices_;  // stays where it is
  size_t known_ = 0;                                 // problems in the file
  runtime::FamilyRunner graphs_;
};

}  // namespace espalier::cli
