#include "io/vocabulary.h"

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/gzip.h"
#include "io/utf8.h"
#include "ops/copy.h"

namespace espalier::io {
namespace {

constexpr int64_t kByteCount = 256;
// All of Unicode takes 4.4 MB, and 7 MB where each byte of it is escaped.
constexpr size_t kMaxFile = size_t{16} << 20;

/// `'a' (U+0061)`, or only the number where the character does not print.
std::string described(char32_t c) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "U+%04X", static_cast<unsigned>(c));
  const bool control = c <= ' ' || (c >= 0x7F && c <= 0xA0) || c == 0x2028 || c == 0x2029;
  return control ? number.data() : "'" + to_utf8(c) + "' (" + number.data() + ")";
}

/// Takes the events of the file's JSON: one object with the two fields that there are.
class VocabularyReader {
 public:
  explicit VocabularyReader(const std::string& file) : file_(file) {}

  std::optional<std::string> kind, characters;

  bool start_object(size_t) { return depth_++ == 0 ? true : unexpected("an object"); }
  bool end_object() { return true; }
  bool key(const std::string& name) {
    if (name != "kind" && name != "characters") return unexpected("a field other than kind and characters");
    field_ = name == "kind" ? &kind : &characters;
    if (*field_) return unexpected(name == "kind" ? "two fields kind" : "two fields characters");
    return true;
  }
  bool string(std::string& text) {
    if (!field_) return unexpected("a string");
    *field_ = text;
    return true;
  }
  bool start_array(size_t) { return unexpected("an array"); }
  bool end_array() { return true; }
  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a bool"); }
  bool number_integer(int64_t) { return unexpected("a number"); }
  bool number_unsigned(uint64_t) { return unexpected("a number"); }
  bool number_float(double, const std::string&) { return unexpected("a number"); }
  bool binary(const std::vector<uint8_t>&) { return unexpected("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw FormatError(file_, "is not JSON at its byte " + std::to_string(position));
  }

 private:
  bool unexpected(const char* what) const {
    throw FormatError(file_, std::string("has ") + what + R"(; expected {"kind":"characters","characters":)" +
                                 R"("..."} or {"kind":"bytes"})");
  }

  const std::string& file_;
  int depth_ = 0;
  std::optional<std::string>* field_ = nullptr;
};

/// The ids as they lie: those of a large text are not copied.
Tensor tensor_of(std::vector<int64_t> ids) {
  const auto kept = std::make_shared<std::vector<int64_t>>(std::move(ids));
  return from_blob(kept->data(), {static_cast<int64_t>(kept->size())}, Dtype::i64, [kept] {});
}

}  // namespace

Vocabulary Vocabulary::bytes() {
  return {};
}

Vocabulary Vocabulary::characters(std::string_view text) {
  if (text.empty()) throw ValueError("Vocabulary", "a text without characters");
  Vocabulary made;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at, "Vocabulary");
    if (c >= made.ids_.size()) made.ids_.resize(size_t{c} + 1, -1);
    made.ids_[c] = 0;
  }
  for (char32_t c = 0; c < made.ids_.size(); ++c) {
    if (made.ids_[c] < 0) continue;
    made.ids_[c] = static_cast<int32_t>(made.begins_.size());
    made.begins_.push_back(static_cast<uint32_t>(made.characters_.size()));
    made.characters_ += to_utf8(c);
  }
  made.begins_.push_back(static_cast<uint32_t>(made.characters_.size()));
  return made;
}

int64_t Vocabulary::size() const noexcept {
  return begins_.empty() ? kByteCount : static_cast<int64_t>(begins_.size()) - 1;
}

Tensor Vocabulary::encode(std::string_view text) const {
  if (begins_.empty()) {
    const auto* const first = reinterpret_cast<const unsigned char*>(text.data());
    return tensor_of({first, first + text.size()});
  }
  std::vector<int64_t> ids;
  ids.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(text, at, "Vocabulary");
    if (c >= ids_.size() || ids_[c] < 0) {
      throw ValueError("Vocabulary", "character " + described(c) + " at byte " + std::to_string(begin) +
                                         " is not among the " + std::to_string(size()) + " known ones");
    }
    ids.push_back(ids_[c]);
  }
  return tensor_of(std::move(ids));
}

std::string Vocabulary::decode(const Tensor& ids) const {
  if (ids.rank() != 1) throw ShapeError("Vocabulary", "ids " + describe(ids) + "; expected i64[N]");
  const Tensor row = contiguous(ids.detach());
  return decode(std::span(row.data<int64_t>(), static_cast<size_t>(row.numel())));
}

std::string Vocabulary::decode(std::span<const int64_t> ids) const {
  std::string text;
  text.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= size()) {
      throw ValueError("Vocabulary", "id " + std::to_string(ids[i]) + " at place " + std::to_string(i) +
                                         "; expected 0 to " + std::to_string(size() - 1));
    }
    const auto id = static_cast<size_t>(ids[i]);
    if (begins_.empty())
      text.push_back(static_cast<char>(id));
    else
      text.append(characters_, begins_[id], begins_[id + 1] - begins_[id]);
  }
  return text;
}

std::string Vocabulary::json() const {
  nlohmann::json object = {{"kind", begins_.empty() ? "bytes" : "characters"}};
  if (!begins_.empty()) object["characters"] = characters_;
  return object.dump();
}

Vocabulary parse_vocabulary(std::string_view json, const std::string& name) {
  VocabularyReader reader(name);
  if (!nlohmann::json::sax_parse(json, &reader)) throw FormatError(name, "is not JSON");
  const std::string kind = reader.kind.value_or("");
  if (kind == "bytes" && !reader.characters) return Vocabulary::bytes();
  if (kind != "characters" || !reader.characters || reader.characters->empty()) {
    throw FormatError(name, R"(lacks its characters, or its kind is neither "characters" nor "bytes")");
  }
  Vocabulary made = Vocabulary::characters(*reader.characters);
  // Sorted, they would get other ids than those that a model was trained with.
  if (made.characters() != *reader.characters)
    throw FormatError(name, "its characters do not stand in the order of their code points, each once");
  return made;
}

Vocabulary load_vocabulary(const std::filesystem::path& path) {
  const std::vector<unsigned char> bytes = read_gzip_or_plain(path, kMaxFile);
  return parse_vocabulary({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

void save_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  AtomicFile file(path);
  file.write(vocabulary.json() + "\n");
  file.commit();
}

}  // namespace espalier::io
