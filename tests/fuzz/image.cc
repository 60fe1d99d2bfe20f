// Any bytes are either refused with a FormatError or give an image whose every pixel was set, and which comes
// back from the PNG made of it.

#include "io/image.h"

#include <cstdint>
#include <cstdlib>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const espalier::Tensor image = espalier::io::parse_image({data, size});
    if (image.numel() > (1 << 20)) return 0;  // packing it would take the fuzzer's time
    const espalier::Tensor again = espalier::io::parse_image(espalier::io::encode_png(image));
    if (image.shape() != again.shape() || image.to_vector<std::uint8_t>() != again.to_vector<std::uint8_t>())
      std::abort();
  } catch (const espalier::FormatError&) {
    return 0;
  }
  return 0;
}
