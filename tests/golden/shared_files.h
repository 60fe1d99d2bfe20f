#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <espalier/espalier.h>

namespace espalier::test {

inline constexpr const char* kNoSharedFiles =
    "the files are not there: set ESPALIER_SHARED to the folder that holds golden/ and models/";

/// A file or folder in $ESPALIER_SHARED (../shared by default), whether it is there or not.
inline std::filesystem::path shared_path(const std::string& path) {
  const char* shared = std::getenv("ESPALIER_SHARED");
  return std::filesystem::path(shared ? shared : "../shared") / path;
}

/// The tensors of such a file; none where it is absent.
inline std::map<std::string, Tensor> shared_tensors(const std::string& path) {
  const std::filesystem::path file = shared_path(path);
  return std::filesystem::exists(file) ? io::load_safetensors(file).tensors : std::map<std::string, Tensor>();
}

}  // namespace espalier::test
