#pragma once

#include <filesystem>

namespace espalier {

/// Writes NAME.onnx for some models and functions, and NAME.npz with `input` and the `output` for it.
void write_onnx_models(const std::filesystem::path& folder);

}  // namespace espalier
