#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/door.h"

namespace espalier::test {

/// A row-major array of doubles: what references compute on.
struct Array {
  Shape shape;
  std::vector<double> values;

  explicit Array(const Shape& shape_ = {}) : shape(shape_), values(static_cast<size_t>(count(shape_))) {}
  double& operator[](int64_t i) { return values[static_cast<size_t>(i)]; }
  double operator[](int64_t i) const { return values[static_cast<size_t>(i)]; }
  /// The element at an index of all axes.
  double& at(const Dims& index);
  double at(const Dims& index) const { return const_cast<Array*>(this)->at(index); }
};
using Arrays = std::vector<Array>;

/// Calls `f(index)` for each index of `shape`, in row-major order.
void for_each_index(const Shape& shape, const std::function<void(const Dims&)>& f);
/// The element that broadcasting an array to a shape shows at `index`.
double broadcast_at(const Array& array, const Dims& index);

/// An input of a sample, filled with uniform random numbers from [low, high): integers for integer types.
struct InputSpec {
  Shape shape = {};
  double low = -2;
  double high = 2;
  std::optional<Dtype> dtype =
      {};  ///< a type of its own (indices, masks), which does not follow the type under test
  bool differentiable = true;  ///< false: no gradient is asked for
  bool absent = false;         ///< an undefined tensor
};

/// One use of an operation: inputs, what to call, and what must come out.
struct OpSample {
  std::string label;
  std::vector<InputSpec> inputs;
  std::function<Tensors(Inputs)> run;
  /// The plain double-precision loops; one array an output of `run`. Gets an empty array for an absent input.
  std::function<Arrays(const Arrays&)> reference;
};

/// A wrong use and the error it must give.
struct OpError {
  std::string label;
  std::function<void()> run;
  std::string kind;  ///< "ShapeError", "TypeError", "ValueError", "DeviceError", "GradientError"
  std::vector<std::string>
      mentions;  ///< what the message must contain: the operation's name, every shape, the way out
};

inline const std::vector<Dtype> kFloatingTypes = {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16};
/// The floating types with the 8-bit ones.
inline const std::vector<Dtype> kAllFloatingTypes = {Dtype::f64,  Dtype::f32,     Dtype::f16,
                                                     Dtype::bf16, Dtype::f8_e4m3, Dtype::f8_e5m2};
/// All types that compute.
inline const std::vector<Dtype> kAllTypes = {Dtype::f64,     Dtype::f32,     Dtype::f16, Dtype::bf16,
                                             Dtype::f8_e4m3, Dtype::f8_e5m2, Dtype::i8,  Dtype::u8,
                                             Dtype::i16,     Dtype::i32,     Dtype::i64, Dtype::boolean};
/// The types for files, too.
inline const std::vector<Dtype> kEveryType = {
    Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16,    Dtype::f8_e4m3, Dtype::f8_e5m2, Dtype::i8, Dtype::u8,
    Dtype::i16, Dtype::i32, Dtype::i64, Dtype::boolean, Dtype::u16,     Dtype::u32,     Dtype::u64};
/// All that compute but bool.
inline const std::vector<Dtype> kNumberTypes(kAllTypes.begin(), kAllTypes.end() - 1);

/// All types, those for files included: for operations that only move elements.
inline const std::vector<Dtype> kStoredTypes = {
    Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16,    Dtype::f8_e4m3, Dtype::f8_e5m2, Dtype::i8, Dtype::u8,
    Dtype::i16, Dtype::i32, Dtype::i64, Dtype::boolean, Dtype::u16,     Dtype::u32,     Dtype::u64};

/// The test object of an operation: everything that the tests and the benchmarks know of it. From it follow,
/// for each sample: values against the reference in every type, non-contiguous and offset inputs, meta
/// shapes, first- and second-order numeric gradients in f64, errors, other types refused, axis ties, and the
/// benchmark.
struct OpTest {
  std::string name;                      ///< kName of the operation
  std::vector<std::string> covers = {};  ///< names of operations that are tested along: a fused backward
  std::vector<OpSample> samples;
  std::vector<OpError> errors = {};
  std::vector<Dtype> dtypes =
      kFloatingTypes;  ///< types under test; each other one must be refused with a TypeError
  /// The error allowed, in units of the output type's epsilon times max(1, |expected|): rounding of the
  /// result plus what the sums of the samples add, and say why it is more than 4.
  double tolerance = 4;
  bool differentiable = true;
  bool twice_differentiable = true;
  /// Samples with the sizes that people use, for the benchmark only; their reference may be empty.
  std::vector<OpSample> benchmarks = {};
};

/// How GoogleTest shows a test object: by its name.
inline void PrintTo(const OpTest& test, std::ostream* out) {
  *out << test.name;
}

/// Every test object: tests/ops/op_tests.cc lists them.
const std::vector<OpTest>& op_tests();

/// The inputs of a sample, random but the same each time, in f64 (or their own type).
std::vector<Tensor> make_inputs(const OpSample& sample, Dtype dtype);

/// `values` for a sample to compute with beside inputs on `device`: without elements where those have none.
Tensor known(const Tensor& values, Device device);

/// A sample of an elementwise operation: `f` gets the elements that broadcasting brings together.
OpSample elementwise_sample(std::string label, std::vector<InputSpec> inputs,
                            std::function<Tensor(Inputs)> run,
                            std::function<double(const std::vector<double>&)> f);

}  // namespace espalier::test
