#include "tests/support/op_test.h"

#include <cmath>
#include <random>

namespace espalier::test {

double& Array::at(const Dims& index) {
  int64_t position = 0;
  for (int i = 0; i < shape.rank(); ++i) position = position * shape[i] + index[i];
  return (*this)[position];
}

void for_each_index(const Shape& shape, const std::function<void(const Dims&)>& f) {
  Dims index = Dims::filled(shape.rank(), 0);
  for (int64_t n = count(shape); n > 0; --n) {
    f(index);
    for (int i = shape.rank() - 1; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
  }
}

double broadcast_at(const Array& array, const Dims& index) {
  int64_t position = 0;
  const int lead = index.rank() - array.shape.rank();
  for (int i = 0; i < array.shape.rank(); ++i) {
    position = position * array.shape[i] + (array.shape[i] == 1 ? 0 : index[lead + i]);
  }
  return array[position];
}

Tensor known(const Tensor& values, Device device) {
  return device_of_values(device) == kMeta ? empty(values.shape(), values.dtype(), kMeta) : values;
}

std::vector<Tensor> make_inputs(const OpSample& sample, Dtype dtype) {
  // Every sample has numbers of its own, the same in each run and for each type.
  std::mt19937_64 random(std::hash<std::string>()(sample.label) + 1);
  std::vector<Tensor> inputs;
  for (const InputSpec& spec : sample.inputs) {
    if (spec.absent) {
      inputs.emplace_back();
      continue;
    }
    const Dtype own = spec.dtype.value_or(dtype);
    Tensor input = empty(spec.shape, own);
    visit_dtype(own, [&](auto tag) {
      using T = typename decltype(tag)::type;
      T* values = input.mutable_data<T>();
      for (int64_t i = 0; i < input.numel(); ++i) {
        double value = spec.low + (spec.high - spec.low) * static_cast<double>(random() >> 11) * 0x1p-53;
        if (!is_floating(own)) value = std::floor(std::is_signed_v<T> ? value : std::max(value, 0.0));
        if constexpr (std::is_same_v<T, bool>)
          values[i] = value != 0;
        else if constexpr (std::is_arithmetic_v<T>)
          values[i] = static_cast<T>(value);
        else
          values[i] = T(static_cast<float>(value));
      }
    });
    inputs.push_back(std::move(input));
  }
  return inputs;
}

OpSample elementwise_sample(std::string label, std::vector<InputSpec> inputs,
                            std::function<Tensor(Inputs)> run,
                            std::function<double(const std::vector<double>&)> f) {
  return {std::move(label), std::move(inputs), [run = std::move(run)](Inputs in) { return Tensors{run(in)}; },
          [f = std::move(f)](const Arrays& in) {
            Shape shape;
            for (const Array& array : in) shape = broadcast_shapes(shape, array.shape, "reference");
            Array result(shape);
            int64_t next = 0;
            std::vector<double> elements(in.size());
            for_each_index(shape, [&](const Dims& index) {
              for (size_t i = 0; i < in.size(); ++i) elements[i] = broadcast_at(in[i], index);
              result[next++] = f(elements);
            });
            return Arrays{result};
          }};
}

}  // namespace espalier::test
