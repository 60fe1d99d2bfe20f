#include "ops/add.h"
#include "ops/gelu.h"
#include "ops/inner_kernel_internal.h"
#include "ops/relu.h"

namespace espalier {

void add_cpu(const Add& op, Inputs inputs, Outputs outputs);
void relu_cpu(const Relu& op, Inputs inputs, Outputs outputs);
void gelu_cpu(const Gelu& op, Inputs inputs, Outputs outputs);

InnerKernel::InnerKernel(const Operation& operation, Inputs inputs, std::span<const Tensor> outputs,
                         Workspace& work)
    : operation_(operation),
      inputs_(inputs),
      outputs_(outputs),
      kernel_(choose_kernel(operation, inputs, outputs, kCpu)),
      scratch_(work.take<char>(static_cast<int64_t>(kernel_.scratch_bytes(operation, inputs, outputs)))) {}

void InnerKernel::run() const {
  Tensors outputs;
  for (const Tensor& output : outputs_) outputs.push_back(output);
  kernel_.run(operation_, inputs_, outputs, scratch_);
}

namespace {

class ProductApart {
 public:
  ProductApart(const Operation& product, Activation activation, Inputs inputs,
               std::span<const Tensor> outputs, Workspace& work)
      : activation_(activation),
        residual_(inputs[3]),
        output_(outputs[0]),
        y_(residual_.defined() ? local_tensor_like(output_, work) : LocalTensor(output_)),
        product_(product, inputs.first(3), {&y_.get(), 1}, work) {}

  void run() const {
    product_.run();
    if (residual_.defined()) {
      const Tensor terms[] = {y_, residual_};
      Tensor sum = output_;
      add_cpu(Add(), terms, Outputs(&sum, 1));
    }
    activate_in_place(output_, activation_);
  }

 private:
  Activation activation_;
  const Tensor &residual_, &output_;
  LocalTensor y_;
  InnerKernel product_;
};

}  // namespace

void product_apart(const Operation& product, Activation activation, Inputs inputs,
                   std::span<const Tensor> outputs, void* scratch) {
  run_with<ProductApart>(scratch, product, activation, inputs, outputs);
}
size_t product_apart_scratch(const Operation& product, Activation activation, Inputs inputs,
                             std::span<const Tensor> outputs) {
  return scratch_of<ProductApart>(product, activation, inputs, outputs);
}

void activate_in_place(const Tensor& y, Activation activation) {
  Tensor result = y;
  const Outputs outputs(&result, 1);
  if (activation == Activation::relu) relu_cpu(Relu(), Inputs(&y, 1), outputs);
  if (activation == Activation::gelu_tanh) gelu_cpu(Gelu(GeluForm::tanh), Inputs(&y, 1), outputs);
  if (activation == Activation::gelu_erf) gelu_cpu(Gelu(GeluForm::erf), Inputs(&y, 1), outputs);
}

}  // namespace espalier
