#pragma once

#include <cstddef>
#include <filesystem>

#include "core/ref.h"

namespace espalier::io {

/// A whole file in memory, mapped privately: what is written to it stays in this process. Throws IoError.
class MappedFile final : public RefCounted {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();

  unsigned char* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }

 private:
  unsigned char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace espalier::io
