#include "tests/structure/tree.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace espalier::structure {

namespace fs = std::filesystem;

std::vector<std::string> folders() {
  std::vector<std::string> result;
  std::istringstream list(ESPALIER_FOLDERS);
  for (std::string folder; std::getline(list, folder, ',');) result.push_back(folder);
  return result;
}

File read(const fs::path& path) {
  File file{path.generic_string(), {}};
  std::ifstream stream(path, std::ios::binary);
  for (std::string line; std::getline(stream, line);) file.lines.push_back(line);
  return file;
}

std::vector<File> files(const std::string& folder, const std::vector<std::string>& extensions) {
  std::vector<fs::path> paths;
  if (fs::exists(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const bool wanted =
          std::ranges::find(extensions, entry.path().extension().string()) != extensions.end();
      if (entry.is_regular_file() && wanted) paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  std::vector<File> result;
  std::ranges::transform(paths, std::back_inserter(result), read);
  return result;
}

std::vector<File> public_headers() {
  std::vector<File> result;
  for (const std::string& folder : folders()) {
    if (folder == "cli") continue;  // a program
    for (File& header : files(folder, {".h"})) {
      const bool internal = header.path.ends_with("_internal.h") || header.path.ends_with("-inl.h");
      if (!internal) result.push_back(std::move(header));
    }
  }
  return result;
}

}  // namespace espalier::structure
