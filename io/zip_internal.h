#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/atomic_file.h"

struct zip;
struct zip_source;

namespace espalier::io {

struct ZipEntry {
  std::string name;   ///< UTF-8
  uint64_t size = 0;  ///< inflated, as the archive claims
};

/// A name from outside as it may stand in one line.
std::string printable(std::string name);

/// A zip archive in memory, for reading. `bytes` must outlive it.
class ZipReader {
 public:
  /// Throws FormatError where it is no archive, where an entry is encrypted, and where the entries claim more
  /// than kZipSlack and kZipRatio times the archive's size together.
  ZipReader(std::span<const unsigned char> bytes, std::string name);

  const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  /// The inflated content of an entry, as long as claimed and with its checksum. What is allocated ahead of
  /// the bytes that arrive is at most the archive's size, or as much again as is there. Throws FormatError.
  std::vector<unsigned char> read(size_t index) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };

  std::string name_;
  size_t bytes_;
  std::unique_ptr<zip, Close> archive_;
  std::vector<ZipEntry> entries_;
};

/// deflate makes at most 1,032 bytes of one; other methods may make more of small entries.
constexpr uint64_t kZipRatio = 1100;
constexpr uint64_t kZipSlack = uint64_t{64} << 20;

/// A zip archive that is made in memory.
class ZipWriter {
 public:
  explicit ZipWriter(std::string name);

  /// Adds an entry of these parts, whose memory must stay until write(). Throws ValueError for a name that a
  /// zip archive cannot hold.
  void add(const std::string& entry, std::span<const std::span<const unsigned char>> parts, bool compress);
  /// Writes the archive; once. Throws IoError.
  void write(AtomicFile& file);

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };
  struct Free {
    void operator()(zip_source* source) const;
  };

  std::string name_;
  std::unique_ptr<zip_source, Free> target_;
  std::unique_ptr<zip, Discard> archive_;
};

}  // namespace espalier::io
