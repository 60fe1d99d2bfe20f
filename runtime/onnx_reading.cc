#include <algorithm>

#include "core/error.h"
#include "ops/cast.h"
#include "runtime/onnx_format_internal.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {

void OnnxBudget::take(const Shape& shape, Dtype dtype) {
  const int64_t bytes = checked_count(shape, kOnnx) * static_cast<int64_t>(size_of(dtype));
  if (bytes > left_) {
    throw ValueError(kOnnx, "a constant of shape " + to_string(shape) +
                                " is to be computed, for which OnnxOptions::most_computed is too small");
  }
  left_ -= bytes;
}

void OnnxBudget::before(const Operation&, Inputs inputs, std::span<const OutputSpec> specs) {
  const auto on_meta = [](const Tensor& input) { return input.defined() && input.device() == kMeta; };
  if (std::any_of(inputs.begin(), inputs.end(), on_meta)) return;
  for (const OutputSpec& spec : specs) {
    if (spec.kind == OutputSpec::Kind::fresh) take(spec.shape, spec.dtype);
  }
}

const Tensor& OnnxReading::input(size_t i) {
  if (!has(i)) refuse("has no input " + std::to_string(i));
  asked_[i] = true;
  return inputs_[i].tensor;
}

Tensor OnnxReading::optional_input(size_t i) {
  return has(i) ? input(i) : Tensor();
}

Tensor OnnxReading::known(size_t i) {
  input(i);
  if (!is_known(i)) {
    refuse("depends by its input " + std::to_string(i) +
           " on what is given at each run, which must not decide what is computed");
  }
  return inputs_[i].known;
}

std::vector<int64_t> OnnxReading::integers(size_t i) {
  if (!has(i)) return {};
  const Tensor values = known(i);
  if (!is_integer(values.dtype()) || values.rank() > 1)
    refuse("has " + describe(values) + " as its input " + std::to_string(i) +
           ", not a list of whole numbers");
  return cast(values, Dtype::i64).to_vector<int64_t>();
}

Scalar OnnxReading::scalar(size_t i) {
  const Tensor value = known(i);
  if (value.numel() != 1)
    refuse("has " + describe(value) + " as its input " + std::to_string(i) + ", not a number");
  if (is_floating(value.dtype())) return value.item();
  if (value.dtype() == Dtype::boolean) return value.item() != 0;
  return cast(value, Dtype::i64).to_vector<int64_t>()[0];
}

const OnnxValue* OnnxReading::attribute(const std::string& name) {
  const auto found = node_.attributes.find(name);
  if (found == node_.attributes.end()) return nullptr;
  asked_attributes_.insert(name);
  return &found->second;
}

template <class T>
T OnnxReading::value(const std::string& name, const T& standard) {
  const OnnxValue* found = attribute(name);
  if (!found) return standard;
  const T* value = std::get_if<T>(found);
  if (!value) refuse("has an attribute " + name + " of another kind than the operator's");
  return *value;
}

int64_t OnnxReading::integer(const std::string& name, int64_t standard) {
  return value<int64_t>(name, standard);
}

double OnnxReading::number(const std::string& name, double standard) {
  return attribute(name) ? value<float>(name, 0) : standard;
}

std::string OnnxReading::word(const std::string& name, const std::string& standard) {
  return value<std::string>(name, standard);
}

std::vector<int64_t> OnnxReading::integers(const std::string& name, const std::vector<int64_t>& standard) {
  return value<std::vector<int64_t>>(name, standard);
}

Tensor OnnxReading::tensor(const std::string& name) {
  return attribute(name) ? elements_.read(value<OnnxTensor>(name, {})) : Tensor();
}

std::vector<float> OnnxReading::numbers(const std::string& name, const std::vector<float>& standard) {
  return value<std::vector<float>>(name, standard);
}

void OnnxReading::expect(const std::string& name, int64_t value) {
  const int64_t found = integer(name, value);
  if (found != value)
    refuse("has " + name + " = " + std::to_string(found) + "; only " + std::to_string(value) + " is read");
}

void OnnxReading::finish() const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (has(i) && !asked_[i]) refuse("has an input " + std::to_string(i) + ", which is not read");
  }
  for (const auto& [name, value] : node_.attributes) {
    if (!asked_attributes_.contains(name))
      refuse("has an attribute " + quoted_name(name) + ", which is not read");
  }
}

void OnnxReading::refuse(const std::string& why) const {
  throw ValueError(kOnnx, why);
}

}  // namespace espalier::runtime
