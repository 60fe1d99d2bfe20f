#include <map>
#include <string>

#include "cli/commands.h"
#include "cli/tensor_file.h"
#include "core/error.h"
#include "ops/cast.h"

namespace espalier::cli {

Exit convert(const ConvertFlags& flags) {
  if (flags.from.empty() || flags.to.empty())
    throw ValueError("convert", "expected what to read and what to write");
  static const std::map<std::string, Dtype> types = {
      {"f32", Dtype::f32}, {"f16", Dtype::f16}, {"bf16", Dtype::bf16}};
  if (!flags.dtype.empty() && !types.contains(flags.dtype))
    throw ValueError("--dtype", "is '" + flags.dtype + "'; there are f32, f16 and bf16");
  TensorFile file = read_tensors(flags.from);
  if (!flags.dtype.empty()) {
    for (auto& [name, tensor] : file.tensors) {
      if (is_floating(tensor.dtype())) tensor = cast(tensor, types.at(flags.dtype));
    }
  }
  if (file.tensors.contains("")) {  // an array without a name
    auto array = file.tensors.extract("");
    array.key() = "array";
    file.tensors.insert(std::move(array));
  }
  write_tensors(flags.to, file);
  return Exit::done;
}

}  // namespace espalier::cli
