#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dims.h"
#include "core/dtype.h"

namespace espalier::io {

/// A tensor as the header describes it.
struct SafetensorsEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  Shape shape;
  uint64_t begin = 0, end = 0;  ///< range of its bytes behind the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// The format's own bound on the header, in bytes.
inline constexpr uint64_t kMaxHeader = 100'000'000;

/// Reads and checks a header for a file `name` with `data_size` bytes behind it. Throws FormatError.
SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t data_size,
                                           const std::string& name);

/// `F32`, `BOOL`, ...
std::string_view safetensors_type(Dtype dtype);

}  // namespace espalier::io
