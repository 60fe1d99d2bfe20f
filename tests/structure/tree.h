#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// The source tree as the structure tests read it. They run in its root.
namespace espalier::structure {

struct File {
  std::string path;  // from the root
  std::vector<std::string> lines;
};

/// The folders that are libraries, lowest first.
std::vector<std::string> folders();

/// The files below a folder (all of them, at any depth) with one of the extensions, in order of their names.
std::vector<File> files(const std::string& folder, const std::vector<std::string>& extensions);

/// The headers of all folders that are installed.
std::vector<File> public_headers();

File read(const std::filesystem::path& path);

}  // namespace espalier::structure
