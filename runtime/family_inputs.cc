#include <algorithm>
#include <string>

#include "core/door.h"
#include "core/error.h"
#include "runtime/family_parts_internal.h"
#include "runtime/graph_family.h"

namespace espalier::runtime {
namespace {

/// One input as a family takes it.
class ExpectedInput {
 public:
  ExpectedInput(const std::vector<FreeAxis>& axes, const Graph& example, size_t number)
      : type_(example.value(example.inputs()[number]).type),
        name_(example.value(example.inputs()[number]).name),
        axes_(axes),
        number_(static_cast<int>(number)) {}

  /// Checks an input, and adds its sizes to those that are known.
  void read(const Tensor& given, Sizes& sizes) const {
    if (!given.defined()) throw ValueError(where(), "is undefined; expected " + text());
    if (given.dtype() != type_.dtype()) throw TypeError(where(), "is " + describe(given) + expected());
    if (given.rank() != type_.rank()) throw ShapeError(where(), "is " + describe(given) + expected());
    for (int i = 0; i < type_.rank(); ++i) {
      const std::string* const name = free_name(i);
      const int64_t size = given.size(i);
      const auto refuse = [&](const std::string& why) {
        throw ShapeError(where(), "axis " + std::to_string(i) + (name ? " (" + *name + ")" : "") + " is " +
                                      std::to_string(size) + why + expected());
      };
      if (!name && size != type_.size(i)) refuse("");
      if (name && size < 1) refuse(", which is less than 1");
      if (name && sizes.try_emplace(*name, size).first->second != size)
        refuse(", and " + std::to_string(sizes.at(*name)) + " before");
    }
  }

 private:
  const std::string* free_name(int axis) const {
    const auto found = std::find_if(axes_.begin(), axes_.end(), [&](const FreeAxis& one) {
      return one.input == number_ && one.axis == axis;
    });
    return found == axes_.end() ? nullptr : &found->name;
  }

  std::string where() const { return "input " + name_; }
  std::string expected() const { return "; expected " + text(); }

  /// `f32[batch, 3, 32, 32]`.
  std::string text() const {
    std::string sizes;
    for (int i = 0; i < type_.rank(); ++i) {
      const std::string* const name = free_name(i);
      sizes += (i == 0 ? "" : ", ") + (name ? *name : std::to_string(type_.size(i)));
    }
    return std::string(to_string(type_.dtype())) + '[' + sizes + ']';
  }

  const Tensor& type_;
  const std::string& name_;
  const std::vector<FreeAxis>& axes_;
  int number_;
};

}  // namespace

Sizes GraphFamily::sizes_of(Inputs inputs) const {
  const size_t count = example().inputs().size();
  if (inputs.size() != count) {
    throw ValueError(kFamily, std::to_string(inputs.size()) + " inputs were given to a graph with " +
                                  std::to_string(count));
  }
  Sizes sizes;
  for (size_t i = 0; i < count; ++i) ExpectedInput(axes_, example(), i).read(inputs[i], sizes);
  return sizes;
}

}  // namespace espalier::runtime
