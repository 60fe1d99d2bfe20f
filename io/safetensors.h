#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

/// What a safetensors file holds: tensors by name, and a map of free text.
struct Safetensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Opens a safetensors file (https://github.com/huggingface/safetensors, format 0.x): eight bytes with the
/// header's length, a JSON header, the elements. The file is mapped into memory, not read: elements arrive
/// when they are first touched, and stay valid for as long as a tensor of the file lives, also when the file
/// is removed. A tensor that is changed changes a private copy of its pages, never the file. The file must
/// not be truncated meanwhile.
///
/// Throws IoError where the file cannot be opened, FormatError where it is not well-formed: a header that is
/// cut short, too long (100 MB) or not JSON of the format; unknown types; names that occur twice; ranges that
/// overlap, leave gaps, lie outside the file or do not match type and shape. Nothing is allocated from a size
/// that the file merely claims.
ESPALIER_API Safetensors load_safetensors(const std::filesystem::path& path);

/// The same from memory, which is copied. `name` stands for the file in errors.
ESPALIER_API Safetensors parse_safetensors(std::span<const unsigned char> bytes,
                                           const std::string& name = "safetensors");

/// Writes tensors of any type (row-major; others are copied first) to a temporary file beside `path`, then
/// renames it: `path` is either untouched or complete. Throws IoError with the system's reason, ValueError
/// for an undefined tensor or the name `__metadata__`, DeviceError for a tensor that is not in the host's
/// memory.
ESPALIER_API void save_safetensors(const std::filesystem::path& path,
                                   const std::map<std::string, Tensor>& tensors,
                                   const std::map<std::string, std::string>& metadata = {});

}  // namespace espalier::io
