// Any bytes are either refused as no TOML (FormatError) or as no recipe (ValueError), in one line, or are a
// recipe whose notes give it back.

#include "cli/recipe.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.h"

using espalier::cli::Recipe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Recipe recipe;
  try {
    espalier::cli::parse_recipe(recipe, {reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const espalier::FormatError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
    return 0;
  } catch (const espalier::ValueError&) {
    if (!(recipe == Recipe())) std::abort();
    return 0;
  }
  Recipe again;
  for (const auto& [name, text] : notes(recipe)) espalier::cli::set(again, name, text, "notes");
  if (!(again == recipe)) std::abort();
  return 0;
}
