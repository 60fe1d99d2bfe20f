#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"

namespace espalier::io {

/// A file of a checkpoint.
struct ManifestFile {
  std::string name;
  uint64_t bytes = 0;
  uint32_t crc32 = 0;
};

/// `manifest.json` of a checkpoint:
///
///   {"format": "espalier checkpoint", "version": 1, "step": 1200, "metrics": {"loss": 0.5},
///    "notes": {"recipe": "..."}, "parts": {"model": [{"file": "model.safetensors", "bytes": 10, "crc32":
///    "0a1b2c3d"}]}, "manifest_crc32": "..."}
///
/// The last entry is the CRC-32 of the text with eight zeros in its place.
struct Manifest {
  int64_t step = 0;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> notes;
  std::map<std::string, std::vector<ManifestFile>> parts;
};

/// Throws ValueError for notes, or names of metrics, that are not UTF-8; `where` stands for the file.
ESPALIER_API std::string manifest_text(const Manifest& manifest, const std::string& where);
/// Throws FormatError, also where a file's name is not checkpoint_file_name()'s.
ESPALIER_API Manifest parse_manifest(std::string_view text, const std::string& where);

/// CRC-32 as zip and gzip have it.
uint32_t crc32_of(std::span<const unsigned char> bytes);

/// Whether a name is letters, digits, `_` and `-`.
bool is_part_name(std::string_view name);
/// The name of a part's file `index`: `model.safetensors`, `model.1.safetensors`, ...
std::string checkpoint_file_name(const std::string& part, size_t index);

}  // namespace espalier::io
