#include <algorithm>
#include <array>
#include <utility>

#include <zip.h>

#include "core/error.h"
#include "io/zip_internal.h"

namespace espalier::io {
namespace {

constexpr size_t kMaxName = 65535;
constexpr int kLevel = 6;                // of deflate, as zlib's and NumPy's default
constexpr uint16_t kNewYear1980 = 0x21;  // DOS's first day: the same tensors give the same file

/// What libzip would leave no archive for.
constexpr std::array<unsigned char, 22> kEmptyArchive = {'P', 'K', 5, 6};

std::string reason_of(zip_error_t* error) {
  std::string reason = zip_error_strerror(error);
  zip_error_fini(error);
  return reason;
}

}  // namespace

void ZipWriter::Discard::operator()(zip* archive) const {
  zip_discard(archive);
}

void ZipWriter::Free::operator()(zip_source* source) const {
  zip_source_free(source);
}

ZipWriter::ZipWriter(std::string name) : name_(std::move(name)) {
  zip_error_t error;
  zip_error_init(&error);
  target_.reset(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (target_) archive_.reset(zip_open_from_source(target_.get(), ZIP_TRUNCATE, &error));
  if (!archive_) throw IoError(name_, "cannot make a zip archive: " + reason_of(&error));
  zip_error_fini(&error);
  zip_source_keep(target_.get());  // the archive gives up its own hold when it is closed
}

void ZipWriter::add(const std::string& entry, std::span<const std::span<const unsigned char>> parts,
                    bool compress) {
  if (entry.size() > kMaxName)
    throw ValueError(name_, "the name of an entry has " + std::to_string(entry.size()) +
                                " bytes; a zip archive takes up to 65535");
  // libzip 1.7 refuses them, 1.11 does not.
  const auto is_refused = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  if (std::any_of(entry.begin(), entry.end(), is_refused))
    throw ValueError(name_, "the name of an entry, '" + printable(entry) + "', has control characters");
  std::vector<zip_buffer_fragment_t> fragments;
  for (const auto part : parts) {
    // libzip's type has no const; it only reads.
    if (!part.empty()) fragments.push_back({const_cast<unsigned char*>(part.data()), part.size()});
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source* const source = zip_source_buffer_fragment_create(fragments.data(), fragments.size(), 0, &error);
  if (!source) throw IoError(name_, "cannot make an entry: " + reason_of(&error));
  zip_error_fini(&error);
  const zip_int64_t index = zip_file_add(archive_.get(), entry.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    throw ValueError(name_, "a zip archive does not take the name '" + printable(entry) + "': " +
                                zip_strerror(archive_.get()) + " (is it UTF-8, without control characters?)");
  }
  const auto at = static_cast<uint64_t>(index);
  if (zip_set_file_compression(archive_.get(), at, compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                               compress ? kLevel : 0) != 0 ||
      zip_file_set_dostime(archive_.get(), at, 0, kNewYear1980, 0) != 0)
    throw IoError(name_, std::string("cannot make an entry: ") + zip_strerror(archive_.get()));
}

void ZipWriter::write(AtomicFile& file) {
  if (zip_get_num_entries(archive_.get(), 0) == 0) {
    file.write(kEmptyArchive);
    return;
  }
  zip* const archive = archive_.release();
  if (zip_close(archive) != 0) {
    const std::string reason = zip_strerror(archive);
    zip_discard(archive);
    throw IoError(name_, "cannot make the zip archive: " + reason);
  }
  zip_source* const made = target_.get();
  std::vector<unsigned char> block(size_t{1} << 20);
  zip_int64_t got = zip_source_open(made);
  while (got == 0 && (got = zip_source_read(made, block.data(), block.size())) > 0) {
    file.write(std::span(block).first(static_cast<size_t>(got)));
    got = 0;
  }
  if (got < 0)
    throw IoError(name_, std::string("cannot read the zip archive that was made: ") +
                             zip_error_strerror(zip_source_error(made)));
  zip_source_close(made);
}

}  // namespace espalier::io
