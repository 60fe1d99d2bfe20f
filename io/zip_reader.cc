#include <algorithm>
#include <string_view>
#include <utility>

#include <zip.h>

#include "core/error.h"
#include "io/zip_internal.h"

namespace espalier::io {
namespace {

constexpr std::string_view kEntryMagic = "PK\3\4", kEndMagic = "PK\5\6";

zip* open(std::span<const unsigned char> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kEntryMagic) && !text.starts_with(kEndMagic))
    throw FormatError(name, "does not begin as a zip archive does");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip* const archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!archive) {
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    zip_source_free(source);
    throw FormatError(name, "is no whole zip archive: " + reason + " (is it cut short?)");
  }
  zip_error_fini(&error);
  return archive;
}

struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

std::string printable(std::string name) {
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return name;
}

void ZipReader::Close::operator()(zip* archive) const {
  zip_discard(archive);
}

ZipReader::ZipReader(std::span<const unsigned char> bytes, std::string name)
    : name_(std::move(name)), bytes_(bytes.size()), archive_(open(bytes, name_)) {
  const uint64_t limit = kZipSlack + kZipRatio * bytes.size();
  uint64_t total = 0;
  const auto count = static_cast<uint64_t>(zip_get_num_entries(archive_.get(), 0));
  for (uint64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    const char* const entry = zip_get_name(archive_.get(), i, ZIP_FL_ENC_STRICT);
    if (!entry || zip_stat_index(archive_.get(), i, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE))
      throw FormatError(name_, "entry " + std::to_string(i) + " has no name or size that could be read");
    const std::string shown = "entry '" + printable(entry) + "'";
    if (stat.encryption_method != ZIP_EM_NONE) throw FormatError(name_, shown + " is encrypted");
    if (stat.size > limit - total)
      throw FormatError(name_, "up to " + shown + " more than " + std::to_string(limit) +
                                   " bytes are claimed, which is " + std::to_string(kZipRatio) +
                                   " times the file's size and 64 MiB (is it a zip bomb?)");
    total += stat.size;
    entries_.push_back({entry, stat.size});
  }
}

std::vector<unsigned char> ZipReader::read(size_t index) const {
  const ZipEntry& entry = entries_.at(index);
  const uint64_t size = entry.size;
  const auto fail = [&](const std::string& message) {
    throw FormatError(name_ + "/" + printable(entry.name), message);
  };
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive_.get(), index, 0));
  if (!file) fail(std::string("cannot be read: ") + zip_strerror(archive_.get()));

  std::vector<unsigned char> content(std::min<uint64_t>(size, bytes_));
  size_t filled = 0;
  // The last read finds the end, where libzip compares the checksum.
  for (unsigned char beyond = 0;;) {
    if (filled == content.size() && filled < size)
      content.resize(std::min<uint64_t>(size, 2 * uint64_t{filled}));
    const bool full = filled == size;
    const zip_int64_t got =
        zip_fread(file.get(), full ? &beyond : content.data() + filled, full ? 1 : content.size() - filled);
    if (got < 0) fail(std::string("cannot be read: ") + zip_file_strerror(file.get()));
    if (got == 0) break;
    if (full) fail("goes on after the " + std::to_string(size) + " bytes that the archive claims");
    filled += static_cast<size_t>(got);
  }
  if (filled < size)
    fail("has " + std::to_string(filled) + " bytes, where the archive claims " + std::to_string(size));
  return content;
}

}  // namespace espalier::io
