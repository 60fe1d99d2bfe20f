#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/tensor.h"

namespace espalier::io {

struct NpzOptions {
  bool compress = false;  ///< deflate the arrays, as NumPy's savez_compressed does
};

/// Opens NumPy's npz, a zip archive of npy files, and gives the arrays by their names without ".npy". Arrays
/// are as load_npy() takes them; they are copied into memory, inflated where they are compressed. Names may
/// have slashes ("encoder/0/kernel"), which mean nothing here.
///
/// Throws IoError where the file cannot be opened, FormatError where it is not well-formed: no zip archive,
/// cut short, wrong checksums, entries that are encrypted, that are not npy files, whose names occur twice or
/// lead out of a folder ("/x", "../x"). An archive whose entries claim, together, more than 1,100 times its
/// size and 64 MiB is refused before anything is inflated; deflate, which is all that NumPy writes, does not
/// reach that. Nothing is allocated from a size that the file merely claims.
ESPALIER_API std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);

/// The same from memory. `name` stands for the file in errors.
ESPALIER_API std::map<std::string, Tensor> parse_npz(std::span<const unsigned char> bytes,
                                                     const std::string& name = "npz");

/// Writes tensors as save_npy() does, each as an entry of its name and ".npy", whole or not at all
/// (io/atomic_file.h). The archive is made in memory first. The same tensors give the same file with the same
/// version of zlib. Throws IoError; for a tensor what save_npy() throws; ValueError for a name that
/// load_npz() would refuse, that is not UTF-8, is too long or has control characters other than tabs and line
/// ends, and for two names of which one is the other with ".npy", which NumPy confuses.
ESPALIER_API void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                           const NpzOptions& options = {});

}  // namespace espalier::io
