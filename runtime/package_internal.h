#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "io/safetensors.h"
#include "runtime/graph_family.h"

namespace espalier::runtime {

using Json = nlohmann::ordered_json;

inline constexpr std::string_view kPackageFormat = "espalier graph";
/// What a single graph has, and a family of them, which programs before families cannot read.
inline constexpr int64_t kGraphVersion = 1, kFamilyVersion = 2;

/// The graphs that a file's metadata describe. Throws any exception for what is damaged or does not fit.
GraphFamily read_graphs(const io::Safetensors& file);

/// One JSON for those of the corners, which are equal but for words and numbers: these become
/// `{"by corner": [4, 3]}` where they differ.
Json by_corner(const std::vector<Json>& corners);
/// What by_corner() put together, as it was for one of so many corners. Throws std::invalid_argument for a
/// list of another length.
Json at_corner(const Json& json, size_t corner, size_t corners);

}  // namespace espalier::runtime
