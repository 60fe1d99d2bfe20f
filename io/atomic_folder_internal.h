#pragma once

#include <filesystem>
#include <string>

namespace espalier::io {

/// A folder that appears whole or not at all: files are made in path(), a hidden folder beside it, which
/// commit() gives its name. Without commit() nothing remains.
class AtomicFolder {
 public:
  /// What hidden folders' names begin with: those that a killed program left may be removed.
  static constexpr const char* kPrefix = ".writing-";

  /// Throws IoError where the folder that is to hold it takes none.
  explicit AtomicFolder(std::filesystem::path target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Brings the folder to the disk (its files are the caller's affair) and gives it its name; a folder of
  /// that name is exchanged for it and removed. Throws IoError.
  void commit();

 private:
  std::filesystem::path target_, path_;
};

/// Removes a folder such that its name never stands for a part of it. Throws IoError.
void remove_folder(const std::filesystem::path& path);

}  // namespace espalier::io
