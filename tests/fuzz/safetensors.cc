// Any bytes are either refused with a FormatError or give tensors that can be read to the last element.

#include "io/safetensors.h"

#include <cstdint>

#include "core/error.h"
#include "tests/fuzz/sum_of_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    unsigned sum = 0;
    for (const auto& [name, tensor] : espalier::io::parse_safetensors({data, size}).tensors) {
      sum += sum_of_bytes(tensor);
    }
    volatile unsigned kept = sum;
    static_cast<void>(kept);
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
