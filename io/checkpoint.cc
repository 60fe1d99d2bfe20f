#include "io/checkpoint.h"

#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/atomic_folder_internal.h"
#include "io/checkpoint_manifest_internal.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"

namespace espalier::io {
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr const char* kManifest = "manifest.json";
constexpr uint64_t kShardBytes = uint64_t{2} << 30;

/// Cuts a part into files: the next one begins where a file would exceed kShardBytes.
std::vector<Tensors> shards_of(const Tensors& tensors) {
  std::vector<Tensors> shards(1);
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t more =
        tensor.defined() ? static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype()) : 0;
    if (bytes > 0 && bytes + more > kShardBytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().emplace(name, tensor);
    bytes += more;
  }
  return shards;
}

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifest;
  return parse_manifest(text_of(MappedFile(path)), path.string());
}

void check_file(const std::filesystem::path& path, const ManifestFile& expected) {
  const MappedFile file(path);
  if (file.size() != expected.bytes) {
    throw FormatError(path.string(), "has " + std::to_string(file.size()) + " bytes; the manifest says " +
                                         std::to_string(expected.bytes));
  }
  if (crc32_of({file.data(), file.size()}) != expected.crc32)
    throw FormatError(path.string(), "its checksum is not that of the manifest: it was damaged or changed");
}

Checkpoint without_tensors(const Manifest& manifest) {
  return {.step = manifest.step, .metrics = manifest.metrics, .notes = manifest.notes};
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  if (checkpoint.step < 0)
    throw ValueError(path.string(), "step " + std::to_string(checkpoint.step) + "; expected 0 or more");
  Manifest manifest{
      .step = checkpoint.step, .metrics = checkpoint.metrics, .notes = checkpoint.notes, .parts = {}};
  AtomicFolder folder(path);
  for (const auto& [part, tensors] : checkpoint.parts) {
    if (!is_part_name(part)) {
      throw ValueError(path.string(),
                       "a part is named '" + part + "'; expected letters, digits, '_' and '-'");
    }
    const std::vector<Tensors> shards = shards_of(tensors);
    for (size_t i = 0; i < shards.size(); ++i) {
      const std::string name = checkpoint_file_name(part, i);
      save_safetensors(folder.path() / name, shards[i]);
      const MappedFile written(folder.path() / name);
      manifest.parts[part].push_back({name, written.size(), crc32_of({written.data(), written.size()})});
    }
  }
  AtomicFile file(folder.path() / kManifest);
  file.write(manifest_text(manifest, path.string()));
  file.commit();
  folder.commit();
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const Manifest manifest = read_manifest(path);
  for (const auto& [part, files] : manifest.parts) {
    for (const ManifestFile& file : files) check_file(path / file.name, file);
  }
  Checkpoint checkpoint = without_tensors(manifest);
  for (const auto& [part, files] : manifest.parts) {
    Tensors& tensors = checkpoint.parts[part];
    for (const ManifestFile& file : files) tensors.merge(load_safetensors(path / file.name).tensors);
  }
  return checkpoint;
}

Checkpoint load_checkpoint_manifest(const std::filesystem::path& path) {
  return without_tensors(read_manifest(path));
}

}  // namespace espalier::io
