#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <espalier/espalier.h>

namespace espalier::test {

inline constexpr const char* kNoSharedFiles =
    "the files are not there: set ESPALIER_SHARED to the folder that holds golden/ and models/";

/// The tensors of a file in $ESPALIER_SHARED (../shared by default); none where that folder is absent.
inline std::map<std::string, Tensor> shared_tensors(const std::string& path) {
  const char* shared = std::getenv("ESPALIER_SHARED");
  const std::filesystem::path folder = shared ? shared : "../shared";
  if (!std::filesystem::exists(folder)) return {};
  return io::load_safetensors(folder / path).tensors;
}

}  // namespace espalier::test
