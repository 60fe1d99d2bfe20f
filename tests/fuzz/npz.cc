// Any bytes are either refused with a FormatError or give tensors that can be read to the last element.

#include "io/npz.h"

#include <cstdint>
#include <numeric>
#include <span>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    unsigned sum = 0;
    for (const auto& [name, tensor] : espalier::io::parse_npz({data, size})) {
      const std::span bytes(static_cast<const unsigned char*>(tensor.raw_data()),
                            static_cast<std::size_t>(tensor.numel()) * espalier::size_of(tensor.dtype()));
      sum = std::accumulate(bytes.begin(), bytes.end(), sum);
    }
    volatile unsigned kept = sum;
    static_cast<void>(kept);
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
