#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/checkpoint_folder.h"

namespace espalier::training {

/// Starts the program killed_run, which trains in a folder; its standard error goes to a file, if one is
/// named.
inline pid_t start_run(const std::filesystem::path& folder, const std::filesystem::path& errors = {}) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (!errors.empty()) {
    const int descriptor = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0 || ::dup2(descriptor, STDERR_FILENO) < 0) ::_exit(126);
  }
  ::execl(ESPALIER_KILLED_RUN, "killed_run", folder.c_str(), nullptr);
  ::_exit(127);
}

/// Loads every checkpoint of a folder: the highest step, or 0.
inline int64_t expect_readable_checkpoints(const std::filesystem::path& folder) {
  const io::CheckpointFolder checkpoints(folder);
  const std::vector<int64_t> steps = checkpoints.steps();
  for (const int64_t step : steps)
    EXPECT_EQ(io::load_checkpoint(checkpoints.path_of(step)).step, step) << "readable";
  return steps.empty() ? 0 : steps.back();
}

/// That the last checkpoints of two folders have the same bits.
inline void expect_same_end(const std::filesystem::path& expected_folder,
                            const std::filesystem::path& folder) {
  const std::optional<io::Checkpoint> expected = io::CheckpointFolder(expected_folder).load_last(),
                                      last = io::CheckpointFolder(folder).load_last();
  if (!expected || !last) {
    ADD_FAILURE() << "no checkpoint";
    return;
  }
  EXPECT_EQ(last->step, expected->step);
  for (const auto& [part, tensors] : expected->parts) {
    ASSERT_EQ(last->parts.at(part).size(), tensors.size());
    for (const auto& [name, tensor] : tensors) {
      const Tensor& found = last->parts.at(part).at(name);
      ASSERT_EQ(describe(found), describe(tensor));
      EXPECT_EQ(std::memcmp(found.raw_data(), tensor.raw_data(),
                            static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype())),
                0)
          << part << " " << name;
    }
  }
}

}  // namespace espalier::training
