#include "ops/operations.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "ops/abs.h"
#include "ops/accumulate.h"
#include "ops/adam_step.h"
#include "ops/adaptive_pool2d.h"
#include "ops/add.h"
#include "ops/along_axis_internal.h"
#include "ops/any.h"
#include "ops/argmax.h"
#include "ops/attention.h"
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/binary_cross_entropy.h"
#include "ops/binary_cross_entropy_with_logits.h"
#include "ops/cached_attention.h"
#include "ops/cast.h"
#include "ops/cholesky.h"
#include "ops/clamp.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/cumsum.h"
#include "ops/determinant.h"
#include "ops/divide.h"
#include "ops/dropout.h"
#include "ops/eigh.h"
#include "ops/elementwise.h"
#include "ops/elu.h"
#include "ops/embedding.h"
#include "ops/erf.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/fused_conv2d.h"
#include "ops/fused_elementwise.h"
#include "ops/fused_linear.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/global_norm.h"
#include "ops/group_norm.h"
#include "ops/gru_cell.h"
#include "ops/hardtanh.h"
#include "ops/hinge_embedding_loss.h"
#include "ops/index_select.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/int8_linear.h"
#include "ops/int8_max_pool2d.h"
#include "ops/isfinite.h"
#include "ops/kl_div.h"
#include "ops/l1_loss.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/log.h"
#include "ops/logical.h"
#include "ops/logsumexp.h"
#include "ops/lstm_cell.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/max_pool2d.h"
#include "ops/maximum.h"
#include "ops/mean.h"
#include "ops/mse_loss.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/nll_loss.h"
#include "ops/one_hot.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/power.h"
#include "ops/product.h"
#include "ops/qr.h"
#include "ops/quantize.h"
#include "ops/random.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/round.h"
#include "ops/sample_token.h"
#include "ops/sgd_step.h"
#include "ops/sigmoid.h"
#include "ops/silu.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/softplus.h"
#include "ops/solve.h"
#include "ops/sort.h"
#include "ops/split.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/svd.h"
#include "ops/tanh.h"
#include "ops/triangle.h"
#include "ops/triangular_solve.h"
#include "ops/trigonometry.h"
#include "ops/update_steps.h"
#include "ops/variance.h"
#include "ops/vector_norm.h"
#include "ops/where.h"

namespace espalier {
namespace {

constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

/// An operation with some attributes, and how many inputs it takes.
struct KnownOperation {
  std::unique_ptr<const Operation> model;
  size_t least, most;
};

class KnownOperations {
 public:
  KnownOperations() {
    add(Abs(), 1);
    add(AbsBackward(), 2);
    add(Accumulate(), 2);
    add(AdadeltaStep({}), 5);
    add(AdagradStep({}), 5);
    add(AdamStep({}), 8);
    add(AdaptiveAvgPool2d(1), 1);
    add(AdaptiveAvgPool2dBackward(1), 1);
    add(AdaptiveMaxPool2d(1), 1);
    add(Add(), 2);
    add(All({}, false), 1);
    add(Any({}, false), 1);
    add(Argmax(0, false), 1);
    add(Argmin(0, false), 1);
    add(Attention(Causal::none), 4);
    add(AttentionBackward(Causal::none, 1, false, false, false), 7);
    add(AverageStep(), 3);
    add(AvgPool2d(1), 1);
    add(AvgPool2dBackward(1, AvgPool2d(1)), 1);
    add(BatchNorm({}), 5);
    add(BatchNormBackward(false, false), 4);
    add(BinaryCrossEntropy(), 2);
    add(BinaryCrossEntropyBackward(), 3);
    add(BinaryCrossEntropyWithLogits(), 2, 3);
    add(BinaryCrossEntropyWithLogitsBackward(), 3, 4);
    add(CachedAttention(), 6);
    add(CachedPositions(1, 1), 1);
    add(Cast(Dtype::f32), 1);
    add(Ceil(), 1);
    add(Cholesky(), 1);
    add(Clamp({}), 1);
    add(ClampBackward({}), 2);
    add(ClampBetween(), 3);
    add(ClipByNorm(0), 2);
    add(ClipByValue(0), 1);
    add(Concat(0), 1, kAnyNumber);
    add(Conv2d(), 3);
    add(Conv2dBackwardData({}, 1), 2);
    add(Conv2dBackwardWeights({}, 1, false), 2);
    add(Copy(Copy::Layout::preserve), 1);
    add(CopyInto(), 2);
    add(Cos(), 1);
    add(CountNonzero({}, false), 1);
    add(CrossEntropy(), 2, 3);
    add(CrossEntropyBackward(), 5, 6);
    add(CumulativeProduct(0), 1);
    add(CumulativeProductBackward(0), 2);
    add(CumulativeSum(0), 1);
    add(Dequantize({}), 1);
    add(Determinant(), 1);
    add(Divide(), 2);
    add(Dropout(0), 2);
    add(DropoutBackward(0), 2);
    add(Eigh(), 1);
    add(Elu(1), 1);
    add(EluBackward(1, 1, 1), 2);
    add(Embedding(), 2);
    add(EmbeddingBackward(0), 2);
    add(Equal(), 2);
    add(Erf(), 1);
    add(Exp(), 1);
    add(Exp2(), 1);
    add(Expand({}), 1);
    add(Expm1(), 1);
    add(Flip({}), 1);
    add(Floor(), 1);
    add(FusedConv2d(), 4);
    add(FusedElementwise(), 1, FusedElementwise::kMaxInputs);
    add(FusedLinear(), 4);
    add(Gather(0), 2);
    add(Gelu(), 1);
    add(GeluBackward(), 2);
    add(GlobalNorm(), 1, kAnyNumber);
    add(GroupNorm(1, 0), 3);
    add(GroupNormBackward(false, false, false), 5);
    add(GruCell(), 3);
    add(GruCellBackward(), 4);
    add(Hardsigmoid(), 1);
    add(Hardswish(), 1);
    add(HardswishBackward(), 2);
    add(Hardtanh(), 1);
    add(HardtanhBackward(0, 0), 2);
    add(HingeEmbeddingLoss(1), 2);
    add(HingeEmbeddingLossBackward(1), 3);
    add(HuberLoss(1), 2);
    add(HuberLossBackward(1), 3);
    add(IndexAdd(0), 3);
    add(IndexSelect(0), 2);
    add(Int8Conv2d(), 5);
    add(Int8GlobalAvgPool2d({}, false), 1);
    add(Int8Linear(), 5);
    add(Int8MaxPool2d(1), 1);
    add(Inverse(), 1);
    add(IsFinite(), 1);
    add(IsInf(), 1);
    add(IsNan(), 1);
    add(KlDiv(false), 2);
    add(KlDivBackward(false), 3);
    add(L1Loss(), 2);
    add(L1LossBackward(), 3);
    add(LayerNorm(1, 0), 3);
    add(LayerNormBackward(1, false, false, false), 5);
    add(LeakyRelu(0), 1);
    add(LeakyReluBackward(0), 2);
    add(Less(), 2);
    add(LessEqual(), 2);
    add(Linear(), 3);
    add(LinearBackward(false, false, false), 3);
    add(LionStep({}), 5);
    add(Log(), 1);
    add(Log10(), 1);
    add(Log1p(), 1);
    add(Log2(), 1);
    add(LogDeterminant(), 1);
    add(LogSigmoid(), 1);
    add(LogSigmoidBackward(), 2);
    add(LogSoftmax(0), 1);
    add(LogSoftmaxBackward(0), 2);
    add(LogSumExp({}, false), 1);
    add(LogicalAnd(), 2);
    add(LogicalNot(), 1);
    add(LogicalOr(), 2);
    add(LogicalXor(), 2);
    add(LstmCell(), 3);
    add(LstmCellBackward(), 6);
    add(MatMul(), 2);
    add(Max({}, false), 1);
    add(MaxPool2d(1), 1);
    add(MaxPool2dBackward(1), 2);
    add(MaxPool2dTake(), 2);
    add(MaxWithIndices(0, false), 1);
    add(Maximum(), 2);
    add(MaximumBackward(), 3);
    add(Mean({}, false), 1);
    add(Min({}, false), 1);
    add(MinWithIndices(0, false), 1);
    add(Minimum(), 2);
    add(Mish(), 1);
    add(MishBackward(), 2);
    add(MseLoss(), 2);
    add(MseLossBackward(), 3);
    add(Multiply(), 2);
    add(Negate(), 1);
    add(NllLoss(0, LossReduction::mean), 2, 3);
    add(NllLossBackward(0, 0, LossReduction::mean), 3, 4);
    add(Normal(0, 1), 2);
    add(NotEqual(), 2);
    add(OneHot(0, Dtype::f32), 1);
    add(Pad({}, {}, {}, 0), 1);
    add(Permute({}), 1);
    add(Power(), 2);
    add(PowerBackward(), 3);
    add(Product({}, false), 1);
    add(ProductBackward(), 2);
    add(PutAlongAxis(0, 0), 2);
    add(Qr(), 1);
    add(Quantize({}, Dtype::u8), 1);
    add(RandomIntegers(0, 1), 2);
    add(RandomPermutation(0), 1);
    add(Reciprocal(), 1);
    add(Relu(), 1);
    add(ReluBackward(), 2);
    add(Reshape({}), 1);
    add(RmsNorm(1, 0), 2);
    add(RmsNormBackward(1, false, false), 4);
    add(RmspropStep({}), 7);
    add(Round(), 1);
    add(Rsqrt(), 1);
    add(SampleToken(), 2);
    add(Scatter(0), 3);
    add(ScatterAdd(0), 3);
    add(SgdStep({}), 5);
    add(Sigmoid(), 1);
    add(SigmoidBackward(), 2);
    add(Sign(), 1);
    add(Silu(), 1);
    add(SiluBackward(), 2);
    add(Sin(), 1);
    add(Slice(std::span<const Range>()), 1);
    add(SmoothL1Loss(1), 2);
    add(SmoothL1LossBackward(1), 3);
    add(Softmax(0), 1);
    add(SoftmaxBackward(0), 2);
    add(Softplus(), 1);
    add(SoftplusBackward(), 2);
    add(Solve(), 2);
    add(Sort(0, false), 1);
    add(Split(1, 0), 1);
    add(Sqrt(), 1);
    add(StandardDeviation({}, 0, false), 1);
    add(Subtract(), 2);
    add(Sum({}, false), 1);
    add(Svd(), 1);
    add(TakeAlongAxis(0), 2);
    add(Tan(), 1);
    add(Tanh(), 1);
    add(TanhBackward(), 2);
    add(TopK(0, 0, false), 1);
    add(TriangularSolve({}), 2);
    add(Tril(0), 1);
    add(Triu(0), 1);
    add(Trunc(), 1);
    add(Uniform(0, 1), 2);
    add(Variance({}, 0, false), 1);
    add(VectorNorm(2, {}, false), 1);
    add(Where(), 3);
  }

  void add(const Operation& model, size_t least, size_t most = 0) {
    const std::lock_guard lock(mutex_);
    if (!known_.try_emplace(std::string(model.name()), model.clone(), least, std::max(least, most)).second)
      throw ValueError(model.name(), "there is an operation of this name already");
  }

  const KnownOperation* find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : &found->second;
  }

  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, operation] : known_) names.push_back(name);
    return names;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, KnownOperation, std::less<>> known_;  // entries never move or go
};

KnownOperations& known_operations() {
  static KnownOperations known;
  return known;
}

}  // namespace

std::unique_ptr<Operation> model_of_operation(std::string_view name, size_t inputs) {
  const KnownOperation* known = known_operations().find(name);
  if (!known) throw ValueError(name, "is no operation that this program knows");
  if (inputs < known->least || inputs > known->most) {
    throw ValueError(name, std::to_string(inputs) + " inputs; expected " + std::to_string(known->least) +
                               (known->most > known->least ? " to " + std::to_string(known->most) : ""));
  }
  return known->model->clone();
}

std::unique_ptr<Operation> make_operation(std::string_view name, const Attributes& attributes,
                                          size_t inputs) {
  return with_attributes(*model_of_operation(name, inputs), attributes);
}

void register_operation(const Operation& model, size_t least, size_t most) {
  known_operations().add(model, least, most);
}

std::vector<std::string> operation_names() {
  return known_operations().names();
}

}  // namespace espalier
