#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace espalier::test {

inline constexpr const char* kNoSharedFiles =
    "the files are not there: set ESPALIER_SHARED to the folder that holds golden/, models/ and data/";

/// A file or folder in $ESPALIER_SHARED (../shared by default), whether it is there or not.
inline std::filesystem::path shared_path(const std::string& path) {
  const char* shared = std::getenv("ESPALIER_SHARED");
  return std::filesystem::path(shared ? shared : "../shared") / path;
}

}  // namespace espalier::test
