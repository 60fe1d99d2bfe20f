#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "runtime/graph_family.h"

namespace espalier::runtime {

/// What a file holds: a graph, or a family of graphs of any sizes along some axes, and what a program notes
/// beside it.
struct Package {
  GraphFamily graphs;
  std::map<std::string, std::string> notes = {};

  /// The graph, at the sizes of the family's examples.
  const Graph& graph() const noexcept { return graphs.example(); }
};

/// Writes a graph, or a family of them, with the elements of its states and constants to one safetensors
/// file. Its metadata say `format: espalier graph`, and as JSON under `graph` what docs/formats.md describes:
/// the version, each value in order (inputs, states and constants by name; nodes with the operation's name,
/// its attributes and the numbers of the values that it reads), outputs and updates. There is no code in it:
/// any safetensors reader finds the weights under their dotted names. What the corners of a family have in
/// common, elements most of all, is written once. Programs before families read the file of a single graph.
///
/// `notes` are further metadata. Throws ValueError for a note named `format` or `graph`, a state whose name
/// begins with `#`, or is not UTF-8, and what save_safetensors() throws.
ESPALIER_API void save_package(const std::filesystem::path& path, const GraphFamily& graphs,
                               const std::map<std::string, std::string>& notes = {});

/// Reads what save_package() wrote. The elements are mapped, as load_safetensors() does. Throws IoError and
/// FormatError as that does, and FormatError, with the number and name of the node, for a later version; a
/// value that is read before it is there; an operation that make_operation() does not know, attributes or
/// inputs that it refuses, or results of other types than were saved; and what GraphFamily::from_corners()
/// refuses.
ESPALIER_API Package load_package(const std::filesystem::path& path);

/// The same from memory, which is copied. `name` stands for the file in errors.
ESPALIER_API Package parse_package(std::span<const unsigned char> bytes, const std::string& name = "package");

}  // namespace espalier::runtime
