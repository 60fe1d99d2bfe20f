#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <espalier/espalier.h>

#include "tests/support/shared_path.h"

namespace espalier::test {

/// The tensors of such a file; none where it is absent.
inline std::map<std::string, Tensor> shared_tensors(const std::string& path) {
  const std::filesystem::path file = shared_path(path);
  return std::filesystem::exists(file) ? io::load_safetensors(file).tensors : std::map<std::string, Tensor>();
}

}  // namespace espalier::test
