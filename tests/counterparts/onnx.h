#pragma once

#include <filesystem>

namespace espalier {

/// Writes NAME.onnx for some models and functions, and NAME.npz with `input` and the `output` for it.
void write_onnx_models(const std::filesystem::path& folder);

/// Reads every NAME.onnx and computes, by its graph, by that graph as an ONNX model again and as a package,
/// the `output0`, ... in NAME.npz from `input0`, ... there, with axes of the sizes in `size:AXIS`. Prints how
/// far apart they are; throws where that is too far.
void check_onnx_models(const std::filesystem::path& folder);

}  // namespace espalier
