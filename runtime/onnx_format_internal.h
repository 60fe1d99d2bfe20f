#pragma once

// What reading and writing ONNX's format have in common: the numbers of fields and types of onnx.proto3
// (https://github.com/onnx/onnx).

#include <cstdint>
#include <string_view>

#include "core/dtype.h"

namespace espalier::runtime {

/// Where errors of reading and writing say that they come from.
inline constexpr std::string_view kOnnx = "onnx";

namespace onnx_model {
inline constexpr unsigned kIrVersion = 1, kProducer = 2, kGraph = 7, kOperators = 8, kFunctions = 25;
}
/// OperatorSetIdProto.
namespace onnx_operators {
inline constexpr unsigned kDomain = 1, kVersion = 2;
}
namespace onnx_graph {
inline constexpr unsigned kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12,
                          kSparseInitializer = 15;
}
namespace onnx_node {
inline constexpr unsigned kInput = 1, kOutput = 2, kName = 3, kType = 4, kAttribute = 5, kDomain = 7;
}
namespace onnx_attribute {
inline constexpr unsigned kName = 1, kFloat = 2, kInteger = 3, kString = 4, kTensor = 5, kFloats = 7,
                          kIntegers = 8, kType = 20;
/// AttributeProto.AttributeType.
inline constexpr int64_t kFloatType = 1, kIntegerType = 2, kStringType = 3, kTensorType = 4, kFloatsType = 6,
                         kIntegersType = 7;
}  // namespace onnx_attribute
namespace onnx_tensor {
inline constexpr unsigned kSize = 1, kType = 2, kSegment = 3, kFloats = 4, kIntegers32 = 5, kStrings = 6,
                          kIntegers64 = 7, kName = 8, kRaw = 9, kDoubles = 10, kUnsigned64 = 11,
                          kExternal = 13, kLocation = 14;
}
/// StringStringEntryProto.
namespace onnx_entry {
inline constexpr unsigned kKey = 1, kValue = 2;
}
/// ValueInfoProto, and what it holds: TypeProto, its Tensor, TensorShapeProto and its Dimension.
namespace onnx_info {
inline constexpr unsigned kName = 1, kType = 2, kTensorType = 1, kElementType = 1, kShape = 2, kDimension = 1,
                          kSize = 1, kSizeName = 2;
}

/// The version of the format, and of the operators, that is written.
inline constexpr int64_t kOnnxIrVersion = 8, kOnnxOperators = 17;

/// TensorProto.DataType. Throws ValueError for a type that ONNX does not have.
int64_t onnx_type(Dtype dtype);

/// The same back. Throws ValueError for a type that there is not.
Dtype dtype_of_onnx(int64_t type);

}  // namespace espalier::runtime
