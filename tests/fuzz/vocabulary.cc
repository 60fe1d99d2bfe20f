// Any bytes are either refused with a FormatError or are UTF-8, whose characters give the text back; a file
// that is taken is written as it was understood.

#include "io/vocabulary.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

using espalier::io::Vocabulary;

namespace {

void read_as_file(std::string_view bytes) {
  const Vocabulary read = espalier::io::parse_vocabulary(bytes);
  if (espalier::io::parse_vocabulary(read.json()).characters() != read.characters()) std::abort();
}

void read_as_text(std::string_view bytes) {
  const Vocabulary characters = Vocabulary::characters(bytes);
  if (characters.decode(characters.encode(bytes)) != bytes) std::abort();
  if (espalier::io::parse_vocabulary(characters.json()).size() != characters.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_as_file, read_as_text}) {
    try {
      if (!bytes.empty()) read(bytes);
    } catch (const espalier::FormatError&) {
      continue;
    }
  }
  return 0;
}
