// The C++ in the documentation is compiled: each block stands, to the letter, in one of the files below.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The ```cpp blocks of a page.
std::vector<std::string> code_blocks(const std::string& page) {
  constexpr std::string_view kBegin = "```cpp\n", kEnd = "```\n";
  std::vector<std::string> blocks;
  for (size_t at = page.find(kBegin); at != std::string::npos; at = page.find(kBegin, at)) {
    at += kBegin.size();
    const size_t end = page.find(kEnd, at);
    if (end == std::string::npos) break;
    blocks.push_back(page.substr(at, end - at));
    at = end;
  }
  return blocks;
}

TEST(Documentation, ItsCodeIsCompiled) {
  std::string compiled;
  for (const char* folder : {"tests/docs", "examples"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) compiled += content(entry.path()) + "\n";
    }
  }
  size_t blocks = 0;
  for (const char* page : {"README.md", "docs/add-an-operation.md"}) {
    for (const std::string& block : code_blocks(content(page))) {
      ++blocks;
      EXPECT_NE(compiled.find(block), std::string::npos) << page << " has code that no compiled file has:\n"
                                                         << block;
    }
  }
  EXPECT_GE(blocks, 6U);
}

}  // namespace
