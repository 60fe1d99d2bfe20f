// An operation of one's own, defined in a program: log(cosh x), its gradient tanh x, and a plain kernel. It
// is differentiable twice, because its backward is written with operations, and passes the gradient check.
//
//   build/release/examples/custom_operation

#include <cmath>
#include <cstdio>

#include <espalier/espalier.h>

using namespace espalier;

class LogCosh final : public OperationOf<LogCosh, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log_cosh";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override {
    return {context.gradient(0) * tanh(context.input(0))};
  }
};

/// log cosh x = |x| + log(1 + e^(-2 |x|)) - log 2, which cannot overflow.
template <class T>
void log_cosh(const Tensor& x, const Tensor& y) {
  const T* from = static_cast<const T*>(x.raw_data());
  T* to = static_cast<T*>(y.raw_data());
  for (int64_t i = 0; i < x.numel(); ++i) {
    const T size = std::abs(from[i]);
    to[i] = size + std::log1p(std::exp(-2 * size)) - static_cast<T>(M_LN2);
  }
}

void log_cosh_cpu(const LogCosh&, Inputs inputs, Outputs outputs) {
  const Tensor x = contiguous(inputs[0].detach());
  if (x.dtype() == Dtype::f64)
    log_cosh<double>(x, outputs[0]);
  else
    log_cosh<float>(x, outputs[0]);
}

const char* log_cosh_declines(const LogCosh&, Inputs inputs, std::span<const Tensor> outputs) {
  if (inputs[0].dtype() != Dtype::f32 && inputs[0].dtype() != Dtype::f64) return "only f32 and f64";
  return outputs[0].is_contiguous() ? nullptr : "only row-major results";
}

constexpr Kernel kLogCosh[] = {kernel<LogCosh, log_cosh_cpu, log_cosh_declines>("plain")};
constinit KernelSlot LogCosh::slot{kLogCosh};

int main() {
  const Tensor x = requires_grad_(from_values<double>({-3, -0.5, 0, 1, 20}, {5}));
  const auto f = [](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{apply_one(LogCosh(), in[0])};
  };
  const std::string first = check_gradients(f, {x}), second = check_gradients(f, {x}, {.second_order = true});
  std::printf("first derivative: %s\nsecond derivative: %s\n", first.empty() ? "right" : first.c_str(),
              second.empty() ? "right" : second.c_str());
  const std::vector<double> y = apply_one(LogCosh(), x).to_vector<double>();
  for (const double value : y) std::printf("%.6f\n", value);
}
