// Any text is either refused with a FormatError or is a manifest that is written and read again as it was.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "io/checkpoint_manifest_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espalier::io;
  Manifest manifest;
  try {
    manifest = parse_manifest({reinterpret_cast<const char*>(data), size}, "manifest");
  } catch (const espalier::FormatError&) {
    return 0;
  }
  const Manifest again = parse_manifest(manifest_text(manifest, "manifest"), "manifest");
  if (again.step != manifest.step || again.notes != manifest.notes ||
      again.parts.size() != manifest.parts.size())
    std::abort();
  return 0;
}
