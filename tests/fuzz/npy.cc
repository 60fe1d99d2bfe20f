// Any bytes are either refused with a FormatError or give a tensor that can be read to the last element.

#include "io/npy.h"

#include <cstdint>
#include <numeric>
#include <span>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const espalier::Tensor tensor = espalier::io::parse_npy({data, size});
    const std::span bytes(static_cast<const unsigned char*>(tensor.raw_data()),
                          static_cast<std::size_t>(tensor.numel()) * espalier::size_of(tensor.dtype()));
    volatile unsigned kept = std::accumulate(bytes.begin(), bytes.end(), 0u);
    static_cast<void>(kept);
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
