// The tests that follow from the test objects: one case for each operation and question.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "core/cpu_features.h"
#include "ops/cast.h"
#include "ops/operations.h"
#include "ops/random.h"
#include "runtime/compile.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// The distance between 1 and the next number.
double epsilon(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64:
      return 0x1p-52;
    case Dtype::f32:
      return 0x1p-23;
    case Dtype::f16:
      return 0x1p-10;
    case Dtype::bf16:
      return 0x1p-7;
    case Dtype::f8_e4m3:
      return 0x1p-3;
    case Dtype::f8_e5m2:
      return 0x1p-2;
    default:
      return 0;
  }
}

Array to_array(const Tensor& tensor) {
  if (!tensor.defined()) return Array();
  Array array(tensor.shape());
  const std::vector<double> values = cast(tensor.detach(), Dtype::f64).to_vector<double>();
  array.values = values;
  return array;
}

Arrays to_arrays(const std::vector<Tensor>& tensors) {
  Arrays arrays;
  for (const Tensor& tensor : tensors) arrays.push_back(to_array(tensor));
  return arrays;
}

void expect_close(std::span<const Tensor> got, const Arrays& expected, double tolerance,
                  const std::string& where) {
  ASSERT_EQ(got.size(), expected.size()) << where;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(got[i].shape() == expected[i].shape)
        << where << ": output " << i << " is " << describe(got[i]) << ", expected shape "
        << to_string(expected[i].shape);
    const Array values = to_array(got[i]);
    const double allowed = tolerance * epsilon(got[i].dtype());
    for (int64_t n = 0; n < got[i].numel(); ++n) {
      double want = expected[i][n];
      if (got[i].dtype() == Dtype::boolean) want = want != 0;
      if (std::isnan(want) ? std::isnan(values[n]) : values[n] == want) continue;
      ASSERT_LE(std::abs(values[n] - want), allowed * std::max(1.0, std::abs(want)))
          << where << ": output " << i << ", element " << n << ": " << values[n] << " instead of " << want;
    }
  }
}

/// The same elements in memory with gaps, an offset, and the axes in another order.
Tensor scattered(const Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  const int rank = tensor.rank();
  Strides strides = Strides::filled(rank, 0);
  int64_t stride = 2;  // a gap between neighbours
  for (int i = 0; i < rank; ++i) {
    strides[i] = stride;  // the first axis is innermost
    stride *= std::max<int64_t>(tensor.shape()[i], 1);
  }
  Tensor block = zeros({stride + 3}, tensor.dtype());
  Tensor view = block.with_layout(tensor.shape(), strides, 3);
  visit_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = tensor.data<T>();
    T* to = static_cast<T*>(view.raw_data());
    int64_t n = 0;
    for_each_index(tensor.shape(), [&](const Dims& index) {
      int64_t place = 0;
      for (int i = 0; i < rank; ++i) place += index[i] * strides[i];
      to[place] = from[n++];
    });
  });
  return view;
}

class Operations : public testing::TestWithParam<OpTest> {};

void check_values_of(const OpTest& test) {
  for (const OpSample& sample : test.samples) {
    for (const Dtype dtype : test.dtypes) {
      const std::string where = sample.label + " in " + std::string(to_string(dtype));
      SCOPED_TRACE(where);
      const std::vector<Tensor> inputs = make_inputs(sample, dtype);
      const Arrays expected = sample.reference(to_arrays(inputs));
      expect_close(sample.run(inputs), expected, test.tolerance, where);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_P(Operations, ValuesInEveryType) {
  check_values_of(GetParam());
}

TEST_P(Operations, NonContiguousInputs) {
  for (const OpSample& sample : GetParam().samples) {
    const Dtype dtype = GetParam().dtypes.front();
    std::vector<Tensor> inputs = make_inputs(sample, dtype);
    const Arrays expected = sample.reference(to_arrays(inputs));
    for (Tensor& input : inputs) input = scattered(input);
    expect_close(sample.run(inputs), expected, GetParam().tolerance, sample.label);
    if (HasFatalFailure()) return;
  }
}

TEST_P(Operations, MetaShapesEqualRealOnes) {
  for (const OpSample& sample : GetParam().samples) {
    const std::vector<Tensor> inputs = make_inputs(sample, GetParam().dtypes.front());
    std::vector<Tensor> shadows;
    for (const Tensor& input : inputs) {
      shadows.push_back(input.defined() ? empty_strided(input.shape(), input.strides(), input.dtype(), kMeta)
                                        : Tensor());
    }
    const Tensors real = sample.run(inputs), meta = sample.run(shadows);
    ASSERT_EQ(real.size(), meta.size()) << sample.label;
    for (size_t i = 0; i < real.size(); ++i) {
      EXPECT_EQ(to_string(real[i].shape()), to_string(meta[i].shape())) << sample.label;
      EXPECT_EQ(to_string(real[i].strides()), to_string(meta[i].strides())) << sample.label;
      EXPECT_EQ(real[i].dtype(), meta[i].dtype()) << sample.label;
      EXPECT_EQ(meta[i].device(), kMeta) << sample.label;
    }
  }
}

void check_gradients_of(const OpTest& test, bool second_order) {
  for (const OpSample& sample : test.samples) {
    std::vector<Tensor> inputs = make_inputs(sample, Dtype::f64);
    bool any = false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined() || !is_floating(inputs[i].dtype()) || !sample.inputs[i].differentiable)
        continue;
      inputs[i] = requires_grad_(inputs[i]);
      any = true;
    }
    if (!any) continue;
    const auto f = [&](const std::vector<Tensor>& in) {
      const Tensors outputs = sample.run(in);
      return std::vector<Tensor>(outputs.begin(), outputs.end());
    };
    EXPECT_EQ(check_gradients(f, inputs, {.second_order = second_order}), "") << sample.label;
  }
}

TEST_P(Operations, GradientsAgreeWithDifferences) {
  if (!GetParam().differentiable) GTEST_SKIP() << "has no gradient";
  check_gradients_of(GetParam(), false);
}

/// Puts the level back, also after a failed assertion.
struct CpuLevelScope {
  CpuLevel best = cpu_level();
  ~CpuLevelScope() { set_cpu_level(best); }
};

TEST_P(Operations, EveryInstructionSetAgrees) {
  const CpuLevelScope scope;
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2}) {
    if (level >= scope.best) continue;  // the other tests run on the best one
    SCOPED_TRACE(cpu_level_name(level));
    set_cpu_level(level);
    check_values_of(GetParam());
    if (GetParam().differentiable) check_gradients_of(GetParam(), false);
  }
}

TEST_P(Operations, SecondDerivativesAgreeWithDifferences) {
  if (!GetParam().twice_differentiable) GTEST_SKIP() << "has no second derivative";
  check_gradients_of(GetParam(), true);
}

/// What came out, and the inputs afterwards.
Arrays outcome(std::vector<Tensor> outputs, const std::vector<Tensor>& inputs) {
  outputs.insert(outputs.end(), inputs.begin(), inputs.end());
  return to_arrays(outputs);
}

/// Every number of one is that of the other; NaN is NaN.
void expect_same_numbers(const Arrays& got, const Arrays& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(got[i].values.size(), expected[i].values.size());
    for (size_t n = 0; n < expected[i].values.size(); ++n) {
      const double number = got[i].values[n], want = expected[i].values[n];
      ASSERT_TRUE(number == want || (std::isnan(number) && std::isnan(want)))
          << number << " instead of " << want;
    }
  }
}

TEST_P(Operations, PlansGiveTheSameBits) {
  for (const OpSample& sample : GetParam().samples) {
    SCOPED_TRACE(sample.label);
    const Dtype dtype = GetParam().dtypes.front();
    const auto inputs_and = [&](auto&& run) {
      const std::vector<Tensor> inputs = make_inputs(sample, dtype);
      manual_seed(1);
      return outcome(run(inputs), inputs);
    };
    const Arrays plain = inputs_and([&](const std::vector<Tensor>& inputs) {
      const Tensors outputs = sample.run(inputs);
      return std::vector<Tensor>(outputs.begin(), outputs.end());
    });
    const Arrays planned = inputs_and([&](const std::vector<Tensor>& inputs) {
      runtime::State state;
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].defined()) state.add("input" + std::to_string(i), inputs[i]);
      }
      runtime::CompiledFunction step(
          [&](Inputs) {
            const Tensors outputs = sample.run(inputs);
            return std::vector<Tensor>(outputs.begin(), outputs.end());
          },
          state);
      return step.run({});
    });
    expect_same_numbers(planned, plain);
    if (HasFatalFailure()) return;
  }
}

/// The first input changes from run to run, the others are constants that kernels may prepare for: with the
/// same bits where that is asked for.
TEST_P(Operations, PlansWithConstantsAgree) {
  const std::vector<Dtype>& dtypes = GetParam().dtypes;
  const Dtype dtype =
      std::find(dtypes.begin(), dtypes.end(), Dtype::f32) != dtypes.end() ? Dtype::f32 : dtypes[0];
  for (const OpSample& sample : GetParam().samples) {
    SCOPED_TRACE(sample.label);
    const std::vector<Tensor> inputs = make_inputs(sample, dtype);
    if (inputs.empty() || !inputs[0].defined()) continue;
    const Arrays expected = sample.reference(to_arrays(inputs));
    const uint32_t version = inputs[0].version();
    manual_seed(1);
    const Tensors plain = sample.run(inputs);
    if (inputs[0].version() != version) continue;  // an input of a plan may not change
    const auto planned = [&](runtime::Equality equality) {
      const std::vector<Tensor> again = make_inputs(sample, dtype);
      runtime::State state;
      for (size_t i = 1; i < again.size(); ++i) {
        if (again[i].defined()) state.add("input" + std::to_string(i), again[i]);
      }
      runtime::CompiledFunction step(
          [&](Inputs given) {
            std::vector<Tensor> all = again;
            all[0] = given[0];
            const Tensors outputs = sample.run(all);
            return std::vector<Tensor>(outputs.begin(), outputs.end());
          },
          state, {.equality = equality});
      manual_seed(1);
      return step.run(Inputs(again.data(), 1));
    };
    expect_close(planned(runtime::Equality::rounded), expected, GetParam().tolerance, sample.label);
    expect_same_numbers(to_arrays(planned(runtime::Equality::strict)),
                        to_arrays(std::vector<Tensor>(plain.begin(), plain.end())));
    if (HasFatalFailure()) return;
  }
}

std::string kind_of(const Error& error) {
  if (dynamic_cast<const ShapeError*>(&error)) return "ShapeError";
  if (dynamic_cast<const TypeError*>(&error)) return "TypeError";
  if (dynamic_cast<const DeviceError*>(&error)) return "DeviceError";
  if (dynamic_cast<const GradientError*>(&error)) return "GradientError";
  if (dynamic_cast<const ValueError*>(&error)) return "ValueError";
  return "Error";
}

TEST_P(Operations, WrongUsesGiveTypedErrors) {
  for (const OpError& wrong : GetParam().errors) {
    try {
      wrong.run();
      ADD_FAILURE() << wrong.label << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(kind_of(error), wrong.kind) << wrong.label << ": " << error.what();
      for (const std::string& part : wrong.mentions)
        EXPECT_THAT(error.what(), testing::HasSubstr(part)) << wrong.label;
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n"))) << wrong.label;
    }
  }
}

TEST_P(Operations, RefusesOtherTypes) {
  const std::vector<Dtype>& taken = GetParam().dtypes;
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    if (std::find(taken.begin(), taken.end(), dtype) != taken.end()) continue;
    const OpSample& sample = GetParam().samples.front();
    EXPECT_THROW(sample.run(make_inputs(sample, dtype)), TypeError) << to_string(dtype);
  }
}

TEST_P(Operations, TakesEmptyInputs) {
  const auto& samples = GetParam().samples;
  const bool any = std::any_of(samples.begin(), samples.end(), [](const OpSample& sample) {
    return std::any_of(sample.inputs.begin(), sample.inputs.end(),
                       [](const InputSpec& spec) { return !spec.absent && count(spec.shape) == 0; });
  });
  EXPECT_TRUE(any) << "no sample has an input without elements";
}

INSTANTIATE_TEST_SUITE_P(Each, Operations, testing::ValuesIn(op_tests()),
                         [](const testing::TestParamInfo<OpTest>& tested) { return tested.param.name; });

/// The names that operations declare in the headers.
std::set<std::string> declared_operations() {
  std::set<std::string> names;
  const std::regex declaration(R"re(kName\s*=\s*"([^"]+)")re");
  for (const char* folder : {"ops", "nn", "optim"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".h") continue;
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      for (std::sregex_iterator match(text.begin(), text.end(), declaration), end; match != end; ++match)
        names.insert((*match)[1]);
    }
  }
  return names;
}

TEST(OperationList, EveryOperationHasATestObject) {
  std::set<std::string> tested;
  for (const OpTest& test : op_tests()) {
    tested.insert(test.name);
    tested.insert(test.covers.begin(), test.covers.end());
  }
  const std::set<std::string> declared = declared_operations();
  EXPECT_FALSE(declared.empty());
  for (const std::string& name : declared)
    EXPECT_TRUE(tested.contains(name)) << name << " has no test object";
  for (const std::string& name : tested)
    EXPECT_TRUE(declared.contains(name)) << name << " is tested but not declared";
}

TEST(OperationList, EveryOperationIsKnownByName) {
  const std::vector<std::string> names = operation_names();
  const std::set<std::string> known(names.begin(), names.end());
  for (const std::string& name : declared_operations()) EXPECT_TRUE(known.contains(name)) << name;
}

}  // namespace
}  // namespace espalier::test
