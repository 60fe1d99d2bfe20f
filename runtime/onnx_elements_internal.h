#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/tensor.h"
#include "io/mapped_file.h"
#include "runtime/onnx_model_internal.h"

namespace espalier::runtime {

/// Finds the elements of a model's tensors: among its bytes, which are copied, or in other files of its
/// folder, which are mapped and stay so while a tensor looks into them.
class OnnxElements {
 public:
  /// Without a folder, other files are refused.
  explicit OnnxElements(std::optional<std::filesystem::path> folder) : folder_(std::move(folder)) {}

  /// Throws ValueError for a type or place that is not read and elements that are not as many as the shape
  /// says, ShapeError for a shape that no tensor has, IoError for another file that cannot be read.
  Tensor read(const OnnxTensor& tensor);

 private:
  Tensor read_external(const OnnxTensor& tensor, const Shape& shape, Dtype dtype);
  const Ref<io::MappedFile>& file(const std::filesystem::path& in, const std::string& location);

  std::optional<std::filesystem::path> folder_;
  std::map<std::string, Ref<io::MappedFile>> files_;  // by location
};

}  // namespace espalier::runtime
