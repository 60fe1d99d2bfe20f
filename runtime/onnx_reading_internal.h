#pragma once

// Making an operator of ONNX of operations. onnx_read_*.cc have a function for each operator.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/door.h"
#include "runtime/onnx_elements_internal.h"
#include "runtime/onnx_model_internal.h"

namespace espalier::runtime {

/// Refuses to compute more than so much while a model is read: a few bytes of a file may ask for a tensor of
/// any size. What is computed at each run does not count.
class OnnxBudget final : public Listener {
 public:
  explicit OnnxBudget(int64_t bytes) : left_(bytes) {}
  /// Throws ValueError where less is left.
  void take(const Shape& shape, Dtype dtype);
  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) override;
  void after(const Operation&, Inputs, Outputs) override {}

 private:
  int64_t left_;
};

/// A value of the model.
struct OnnxInput {
  Tensor tensor;  ///< on meta where it is given or computed at each run, and for a state
  Tensor known;   ///< its elements, where they are the same at each run
};

/// A node that is being read. What an operator's function does not ask for, input or attribute, is refused:
/// it would change what is computed.
class OnnxReading {
 public:
  OnnxReading(const OnnxNode& node, std::vector<OnnxInput> inputs, OnnxElements& elements, OnnxBudget& budget)
      : node_(node),
        inputs_(std::move(inputs)),
        asked_(inputs_.size()),
        elements_(elements),
        budget_(budget) {}

  const OnnxNode& node() const noexcept { return node_; }
  OnnxBudget& budget() const noexcept { return budget_; }
  size_t input_count() const noexcept { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].tensor.defined(); }

  const Tensor& input(size_t i);
  /// Undefined where it is absent.
  Tensor optional_input(size_t i);
  /// The elements of an input that are needed to know what is to be computed: a shape, axes, bounds.
  Tensor known(size_t i);
  bool is_known(size_t i) const { return has(i) && inputs_[i].known.defined(); }
  /// ... as whole numbers; none where the input is absent.
  std::vector<int64_t> integers(size_t i);
  /// ... as one number.
  Scalar scalar(size_t i);

  bool has_attribute(std::string_view name) const { return node_.attributes.contains(std::string(name)); }
  int64_t integer(const std::string& name, int64_t standard);
  double number(const std::string& name, double standard);
  std::string word(const std::string& name, const std::string& standard);
  std::vector<int64_t> integers(const std::string& name, const std::vector<int64_t>& standard);
  std::vector<float> numbers(const std::string& name, const std::vector<float>& standard);
  /// Refuses an attribute unless it is absent or `value`.
  void expect(const std::string& name, int64_t value);
  /// Notes that an attribute or input does not change what is computed.
  void ignore(const std::string& name) { asked_attributes_.insert(name); }
  void ignore(size_t i) {
    if (i < asked_.size()) asked_[i] = true;
  }
  /// The elements of an attribute that is a tensor; undefined where it is absent.
  Tensor tensor(const std::string& name);

  /// An axis of `rank`, counted from 0. Throws ShapeError where there is none.
  int axis(int64_t axis, int rank) const { return normalize_axis(axis, rank, node_.type); }

  /// Throws where something was not asked for.
  void finish() const;
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  const OnnxValue* attribute(const std::string& name);
  template <class T>
  T value(const std::string& name, const T& standard);

  const OnnxNode& node_;
  std::vector<OnnxInput> inputs_;
  std::vector<bool> asked_;
  std::set<std::string> asked_attributes_;
  OnnxElements& elements_;
  OnnxBudget& budget_;
};

/// Gives a node's outputs, those that ONNX's operator need not put out aside.
using OnnxRead = Tensors (*)(OnnxReading&);
using OnnxReaders = std::map<std::string_view, OnnxRead>;

const OnnxReaders& elementwise_onnx_readers();
const OnnxReaders& shape_onnx_readers();
const OnnxReaders& part_onnx_readers();
const OnnxReaders& reduction_onnx_readers();
const OnnxReaders& layer_onnx_readers();

/// The numbers of a list as sizes or axes. Throws ShapeError for too many.
inline Dims dims_of(const std::vector<int64_t>& values) {
  return Dims(std::span<const int64_t>(values));
}

}  // namespace espalier::runtime
