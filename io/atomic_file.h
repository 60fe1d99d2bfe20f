#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier::io {

/// A file that appears whole or not at all: writing goes to a temporary name in the same folder, and commit()
/// renames it. Without commit() nothing remains. Not for use from several threads.
class ESPALIER_API AtomicFile {
 public:
  /// Throws IoError where the folder does not take a new file.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Throws IoError with the system's reason: a full disk, say.
  void write(std::span<const unsigned char> bytes);
  void write(std::string_view text);
  /// Brings the content to the disk and gives the file its name. Throws IoError.
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace espalier::io
