#pragma once

#include <cstddef>
#include <filesystem>

#include "core/export.h"
#include "core/ref.h"

namespace espalier::io {

/// A whole file in memory, mapped privately: what is written to it stays in this process.
class ESPALIER_API MappedFile final : public RefCounted {
 public:
  /// Throws IoError where it cannot be opened or mapped, or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();

  /// Null for an empty file.
  unsigned char* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }

 private:
  unsigned char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace espalier::io
