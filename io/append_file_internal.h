#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace espalier::io {

/// A file that grows at its end. Bytes are collected and written in pieces; what a full disk refused is kept
/// and written first when there is room again, so nothing is missing in between. Everything throws IoError
/// with the system's reason.
class AppendFile {
 public:
  /// Opens a file, or makes it.
  explicit AppendFile(const std::filesystem::path& path);
  /// Makes a file; null where there is one of that name.
  static std::unique_ptr<AppendFile> make(const std::filesystem::path& path);
  /// Writes what is left. What goes wrong is logged, unless flush() or append() told it of the same bytes.
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Cuts off what lies behind the first `size` bytes.
  void truncate(size_t size);
  /// Takes all bytes or, where it throws, none.
  void append(std::string_view bytes);
  /// Hands to the system all that append() took.
  void flush();

 private:
  AppendFile(const std::filesystem::path& path, int descriptor)
      : name_(path.string()), descriptor_(descriptor) {}
  [[noreturn]] void fail(const char* what) const;

  std::string name_;
  int descriptor_;
  std::string buffer_;
  bool told_ = false;  ///< that the buffer cannot be written
};

}  // namespace espalier::io
