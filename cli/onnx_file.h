#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "runtime/package.h"

namespace espalier::cli {

/// Whether a file is an ONNX model, by its ending.
bool is_onnx(const std::string& file);

/// Reads the ONNX model of `flags`, for batches of one size or, where none is given, any. What makes rows of
/// numbers of a batch of f32 has the note that `espalier run` asks a package by: of classes, where `flags`
/// names them, else of values. Throws ValueError for sizes and classes that do not fit, and what
/// runtime::load_onnx_family() throws.
runtime::Package open_onnx(const CompileFlags& flags, std::optional<int64_t> batch);

}  // namespace espalier::cli
