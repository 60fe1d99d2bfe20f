// Any bytes are either refused with a FormatError or give a tensor that can be read to the last element.

#include "io/npy.h"

#include <cstdint>

#include "core/error.h"
#include "tests/fuzz/sum_of_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile unsigned kept = sum_of_bytes(espalier::io::parse_npy({data, size}));
    static_cast<void>(kept);
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
