#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace espalier::io {

/// What the numbers of a text model stand for: bytes or characters, numbered from 0. Immutable; any thread
/// may use it.
///
///   const auto vocabulary = io::Vocabulary::characters(text);
///   models::Gpt net(..., vocabulary.size());
///   io::save_safetensors("gpt.safetensors", nn::state(net), {{"vocabulary", vocabulary.json()}});
class ESPALIER_API Vocabulary {
 public:
  /// The 256 bytes; each is its own number. It encodes any text.
  static Vocabulary bytes();
  /// The characters (Unicode code points) that occur in UTF-8 text, by rising code point, as nanoGPT numbers
  /// them. Throws FormatError where the text is not UTF-8 (io/utf8.h), ValueError where it is empty.
  static Vocabulary characters(std::string_view text);

  /// The number of ids.
  int64_t size() const noexcept;
  /// The characters in the order of their ids, as UTF-8, from which characters() makes this vocabulary
  /// again; empty for bytes.
  const std::string& characters() const noexcept { return characters_; }

  /// The ids of a text, i64[N]. Throws ValueError that names a character which has none and its byte,
  /// FormatError where characters are wanted and the text is not UTF-8.
  Tensor encode(std::string_view text) const;
  /// The text of ids i64[N]; bytes may give any. Throws ValueError that names an id outside [0, size()) and
  /// its place, ShapeError, TypeError.
  std::string decode(const Tensor& ids) const;
  std::string decode(std::span<const int64_t> ids) const;

  /// As JSON, for a file or for the metadata of a checkpoint: `{"characters":"ab","kind":"characters"}` or
  /// `{"kind":"bytes"}`.
  std::string json() const;

 private:
  Vocabulary() = default;

  std::string characters_;
  std::vector<uint32_t> begins_;  ///< of each character in characters_, and the end
  std::vector<int32_t> ids_;      ///< of code points, as far as the last one; -1 where there is none
};

/// Reads what Vocabulary::json() gives. Throws FormatError for anything else: other fields, characters out
/// of order. `name` stands for the file in errors.
ESPALIER_API Vocabulary parse_vocabulary(std::string_view json, const std::string& name = "vocabulary");

/// The same from a file. Throws IoError, too, where it cannot be read.
ESPALIER_API Vocabulary load_vocabulary(const std::filesystem::path& path);

/// Writes the JSON, whole or not at all (io/atomic_file.h). Throws IoError.
ESPALIER_API void save_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary);

}  // namespace espalier::io
