// The rules of the tree that CONTRIBUTING.md states, read off the sources.

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/structure/tree.h"

namespace espalier::structure {
namespace {

const std::regex kInclude(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");

// The place of a file's folder in the list of folders, or -1 for what is in none of them.
std::ptrdiff_t level(const std::string& path) {
  const std::vector<std::string> all = folders();
  const auto at = std::ranges::find(all, path.substr(0, path.find('/')));
  return at == all.end() ? -1 : at - all.begin();
}

TEST(Structure, IncludesOnlyGoDown) {
  for (const std::string& folder : folders()) {
    for (const File& file : files(folder, {".h", ".cc", ".cu", ".cuh"})) {
      for (const std::string& line : file.lines) {
        std::smatch match;
        if (!std::regex_search(line, match, kInclude) || match[1] != "\"") continue;
        const std::string target = match[2];
        EXPECT_NE(target.find('/'), std::string::npos)
            << file.path << " includes " << target << ": write includes from the root of the tree";
        const bool ours = std::filesystem::exists(target);
        EXPECT_TRUE(!ours || level(target) != -1)
            << file.path << " includes " << target << ", which is not part of the library";
        EXPECT_LE(level(target), level(file.path))
            << file.path << " includes " << target << ", which is above it";
      }
    }
  }
}

TEST(Structure, PublicHeadersIncludeTheStandardLibraryAndPublicHeaders) {
  std::set<std::string> headers;
  for (const File& header : public_headers()) headers.insert(header.path);
  const std::regex standard("[a-z_]+");
  for (const File& header : public_headers()) {
    for (const std::string& line : header.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, kInclude)) continue;
      const std::string target = match[2];
      const bool good = match[1] == "<" ? std::regex_match(target, standard) : headers.contains(target);
      EXPECT_TRUE(good) << header.path << " includes " << target;
    }
  }
}

TEST(Structure, SourcesIncludeTheirHeaderFirst) {
  for (const File& header : public_headers()) {
    const std::string source = header.path.substr(0, header.path.rfind('.')) + ".cc";
    if (!std::filesystem::exists(source)) continue;
    const File file = read(source);
    const auto first = std::ranges::find_if(
        file.lines, [](const std::string& line) { return std::regex_search(line, kInclude); });
    ASSERT_NE(first, file.lines.end()) << source;
    EXPECT_EQ(*first, "#include \"" + header.path + "\"") << source;
  }
}

TEST(Structure, PublicHeadersAreTheSameForEveryBuild) {
  const std::regex conditional(R"(^\s*#\s*(if|ifdef|ifndef|elif)\b)");
  for (const File& header : public_headers()) {
    ASSERT_FALSE(header.lines.empty()) << header.path;
    EXPECT_EQ(header.lines.front(), "#pragma once") << header.path;
    for (const std::string& line : header.lines) {
      EXPECT_FALSE(std::regex_search(line, conditional)) << header.path << ": " << line;
    }
  }
}

TEST(Structure, UmbrellaNamesEveryPublicHeader) {
  const File umbrella = read(ESPALIER_UMBRELLA);
  std::set<std::string> named;
  for (const std::string& line : umbrella.lines) {
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) named.insert(match[2]);
  }
  std::set<std::string> expected;
  for (const File& header : public_headers()) expected.insert("espalier/" + header.path);
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(named, expected);
}

TEST(Structure, TextFilesAreClean) {
  std::vector<std::string> places = folders();
  places.insert(places.end(), {"bench", "cmake", "docs", "examples", "scripts", "tests"});
  for (const std::string& folder : places) {
    for (const File& file : files(folder, {".h", ".cc", ".cu", ".cuh", ".md", ".txt", ".cmake", ".in"})) {
      for (std::size_t i = 0; i < file.lines.size(); ++i) {
        const std::string& line = file.lines[i];
        const bool trailing =
            !line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r');
        EXPECT_FALSE(trailing) << file.path << ':' << i + 1 << " ends in white space";
      }
    }
  }
}

}  // namespace
}  // namespace espalier::structure
