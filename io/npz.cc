#include "io/npz.h"

#include <algorithm>
#include <array>
#include <list>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "io/npy_header_internal.h"
#include "io/zip_internal.h"
#include "ops/copy.h"

namespace espalier::io {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// Whether a name, taken for a path, is outside the folder that it would be unpacked into.
bool leads_out(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return name.starts_with('/') || ("/" + name + "/").find("/../") != std::string::npos;
}

}  // namespace

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) {
  const auto file = make_ref<MappedFile>(path);
  return parse_npz({file->data(), file->size()}, path.string());
}

std::map<std::string, Tensor> parse_npz(std::span<const unsigned char> bytes, const std::string& name) {
  const ZipReader archive(bytes, name);
  std::map<std::string, Tensor> tensors;
  // All names first: a wrong one is found before anything is inflated.
  std::vector<Tensor*> places;
  for (const ZipEntry& entry : archive.entries()) {
    if (!entry.name.ends_with(kSuffix))
      throw FormatError(name, "holds '" + printable(entry.name) + "', which is no .npy file");
    if (leads_out(entry.name))
      throw FormatError(name, "holds '" + printable(entry.name) + "', a path that leads out of its folder");
    const auto [place, fresh] = tensors.try_emplace(entry.name.substr(0, entry.name.size() - kSuffix.size()));
    if (!fresh) throw FormatError(name, "holds '" + printable(entry.name) + "' twice");
    places.push_back(&place->second);
  }
  for (size_t i = 0; i < places.size(); ++i)
    *places[i] = take_npy(archive.read(i), name + "/" + printable(archive.entries()[i].name));
  return tensors;
}

void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
              const NpzOptions& options) {
  const std::string file_name = path.string();
  // The archive refers to both until it is written.
  std::list<std::pair<std::string, Tensor>> arrays;
  ZipWriter archive(file_name);
  for (const auto& [name, tensor] : tensors) {
    const std::string entry = name + std::string(kSuffix);
    if (leads_out(entry))
      throw ValueError(file_name, "'" + printable(name) + "' is a path that leads out of its folder");
    if (tensors.contains(entry))
      throw ValueError(file_name, "NumPy would take '" + printable(name) + "' for '" + printable(entry) +
                                      "'; give one another name");
    std::string where = file_name;
    where.append("/").append(entry);
    const auto& [header, rows] = arrays.emplace_back(npy_parts(tensor, where));
    const std::array<std::span<const unsigned char>, 2> parts = {
        {{reinterpret_cast<const unsigned char*>(header.data()), header.size()},
         {static_cast<const unsigned char*>(rows.raw_data()),
          static_cast<size_t>(rows.numel()) * size_of(rows.dtype())}}};
    archive.add(entry, parts, options.compress);
  }
  AtomicFile file(path);
  archive.write(file);
  file.commit();
}

}  // namespace espalier::io
