// Any bytes are either refused with a FormatError or give content within the limit.

#include "io/gzip.h"

#include <cstdint>
#include <cstdlib>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = std::size_t{1} << 20;
  try {
    if (espalier::io::inflate_gzip_or_plain({data, size}, kLimit).size() > kLimit) std::abort();
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
