// The list of the CPU's kernels: for each operation the implementations, fastest first and the plain
// reference last. A kernel stands in <stem>_cpu.cc; its
// `*_declines` gives the reason why it does not take a problem, or null. Views have none.

#include "ops/abs.h"
#include "ops/accumulate.h"
#include "ops/adam_step.h"
#include "ops/add.h"
#include "ops/argmax.h"
#include "ops/attention.h"
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/binary_cross_entropy.h"
#include "ops/binary_cross_entropy_with_logits.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/divide.h"
#include "ops/dropout.h"
#include "ops/embedding.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/gelu.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/log.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/max_pool2d.h"
#include "ops/mean.h"
#include "ops/mse_loss.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/one_hot.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/sgd_step.h"
#include "ops/sigmoid.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/tanh.h"

namespace espalier {

void abs_cpu(const Abs&, Inputs, Outputs);
static constexpr Kernel kAbs[] = {kernel<Abs, abs_cpu>("highway")};
constinit KernelSlot Abs::slot{kAbs};

void abs_backward_cpu(const AbsBackward&, Inputs, Outputs);
static constexpr Kernel kAbsBackward[] = {kernel<AbsBackward, abs_backward_cpu>("highway")};
constinit KernelSlot AbsBackward::slot{kAbsBackward};

void accumulate_cpu(const Accumulate&, Inputs, Outputs);
static constexpr Kernel kAccumulate[] = {kernel<Accumulate, accumulate_cpu>("highway")};
constinit KernelSlot Accumulate::slot{kAccumulate};

void adam_step_cpu(const AdamStep&, Inputs, Outputs);
static constexpr Kernel kAdamStep[] = {kernel<AdamStep, adam_step_cpu>("highway")};
constinit KernelSlot AdamStep::slot{kAdamStep};

void add_cpu(const Add&, Inputs, Outputs);
static constexpr Kernel kAdd[] = {kernel<Add, add_cpu>("highway")};
constinit KernelSlot Add::slot{kAdd};

void argmax_cpu(const Argmax&, Inputs, Outputs);
static constexpr Kernel kArgmax[] = {kernel<Argmax, argmax_cpu>("highway")};
constinit KernelSlot Argmax::slot{kArgmax};

const char* attention_declines(const Attention&, Inputs, std::span<const Tensor>);
void attention_cpu(const Attention&, Inputs, Outputs);
static constexpr Kernel kAttention[] = {kernel<Attention, attention_cpu, attention_declines>("tiles")};
constinit KernelSlot Attention::slot{kAttention};

const char* attention_backward_declines(const AttentionBackward&, Inputs, std::span<const Tensor>);
void attention_backward_cpu(const AttentionBackward&, Inputs, Outputs);
static constexpr Kernel kAttentionBackward[] = {
    kernel<AttentionBackward, attention_backward_cpu, attention_backward_declines>("tiles")};
constinit KernelSlot AttentionBackward::slot{kAttentionBackward};

const char* avg_pool2d_f32_declines(const AvgPool2d&, Inputs, std::span<const Tensor>);
void avg_pool2d_f32(const AvgPool2d&, Inputs, Outputs);
void avg_pool2d_cpu(const AvgPool2d&, Inputs, Outputs);
static constexpr Kernel kAvgPool2d[] = {kernel<AvgPool2d, avg_pool2d_f32, avg_pool2d_f32_declines>("highway"),
                                        kernel<AvgPool2d, avg_pool2d_cpu>("planes")};
constinit KernelSlot AvgPool2d::slot{kAvgPool2d};

const char* avg_pool2d_backward_f32_declines(const AvgPool2dBackward&, Inputs, std::span<const Tensor>);
void avg_pool2d_backward_f32(const AvgPool2dBackward&, Inputs, Outputs);
void avg_pool2d_backward_cpu(const AvgPool2dBackward&, Inputs, Outputs);
static constexpr Kernel kAvgPool2dBackward[] = {
    kernel<AvgPool2dBackward, avg_pool2d_backward_f32, avg_pool2d_backward_f32_declines>("highway"),
    kernel<AvgPool2dBackward, avg_pool2d_backward_cpu>("planes")};
constinit KernelSlot AvgPool2dBackward::slot{kAvgPool2dBackward};

const char* batch_norm_f32_declines(const BatchNorm&, Inputs, std::span<const Tensor>);
void batch_norm_f32(const BatchNorm&, Inputs, Outputs);
void batch_norm_reference(const BatchNorm&, Inputs, Outputs);
static constexpr Kernel kBatchNorm[] = {kernel<BatchNorm, batch_norm_f32, batch_norm_f32_declines>("highway"),
                                        kernel<BatchNorm, batch_norm_reference>("reference")};
constinit KernelSlot BatchNorm::slot{kBatchNorm};

const char* batch_norm_backward_f32_declines(const BatchNormBackward&, Inputs, std::span<const Tensor>);
void batch_norm_backward_f32(const BatchNormBackward&, Inputs, Outputs);
void batch_norm_backward_reference(const BatchNormBackward&, Inputs, Outputs);
static constexpr Kernel kBatchNormBackward[] = {
    kernel<BatchNormBackward, batch_norm_backward_f32, batch_norm_backward_f32_declines>("highway"),
    kernel<BatchNormBackward, batch_norm_backward_reference>("reference")};
constinit KernelSlot BatchNormBackward::slot{kBatchNormBackward};

void binary_cross_entropy_cpu(const BinaryCrossEntropy&, Inputs, Outputs);
static constexpr Kernel kBinaryCrossEntropy[] = {
    kernel<BinaryCrossEntropy, binary_cross_entropy_cpu>("highway")};
constinit KernelSlot BinaryCrossEntropy::slot{kBinaryCrossEntropy};

void binary_cross_entropy_backward_cpu(const BinaryCrossEntropyBackward&, Inputs, Outputs);
static constexpr Kernel kBinaryCrossEntropyBackward[] = {
    kernel<BinaryCrossEntropyBackward, binary_cross_entropy_backward_cpu>("highway")};
constinit KernelSlot BinaryCrossEntropyBackward::slot{kBinaryCrossEntropyBackward};

void binary_cross_entropy_with_logits_cpu(const BinaryCrossEntropyWithLogits&, Inputs, Outputs);
static constexpr Kernel kBinaryCrossEntropyWithLogits[] = {
    kernel<BinaryCrossEntropyWithLogits, binary_cross_entropy_with_logits_cpu>("highway")};
constinit KernelSlot BinaryCrossEntropyWithLogits::slot{kBinaryCrossEntropyWithLogits};

void binary_cross_entropy_with_logits_backward_cpu(const BinaryCrossEntropyWithLogitsBackward&, Inputs,
                                                   Outputs);
static constexpr Kernel kBinaryCrossEntropyWithLogitsBackward[] = {
    kernel<BinaryCrossEntropyWithLogitsBackward, binary_cross_entropy_with_logits_backward_cpu>("highway")};
constinit KernelSlot BinaryCrossEntropyWithLogitsBackward::slot{kBinaryCrossEntropyWithLogitsBackward};

void cast_cpu(const Cast&, Inputs, Outputs);
static constexpr Kernel kCast[] = {kernel<Cast, cast_cpu>("tiles")};
constinit KernelSlot Cast::slot{kCast};

void concat_cpu(const Concat&, Inputs, Outputs);
static constexpr Kernel kConcat[] = {kernel<Concat, concat_cpu>("strided")};
constinit KernelSlot Concat::slot{kConcat};

const char* conv2d_onednn_declines(const Conv2d&, Inputs, std::span<const Tensor>);
void conv2d_onednn(const Conv2d&, Inputs, Outputs);
const char* conv2d_direct_declines(const Conv2d&, Inputs, std::span<const Tensor>);
void conv2d_direct(const Conv2d&, Inputs, Outputs);
void conv2d_converted(const Conv2d&, Inputs, Outputs);
static constexpr Kernel kConv2d[] = {kernel<Conv2d, conv2d_onednn, conv2d_onednn_declines>("onednn"),
                                     kernel<Conv2d, conv2d_direct, conv2d_direct_declines>("direct"),
                                     kernel<Conv2d, conv2d_converted>("through f32")};
constinit KernelSlot Conv2d::slot{kConv2d};

const char* conv2d_backward_data_onednn_declines(const Conv2dBackwardData&, Inputs, std::span<const Tensor>);
void conv2d_backward_data_onednn(const Conv2dBackwardData&, Inputs, Outputs);
const char* conv2d_backward_data_direct_declines(const Conv2dBackwardData&, Inputs, std::span<const Tensor>);
void conv2d_backward_data_direct(const Conv2dBackwardData&, Inputs, Outputs);
void conv2d_backward_data_converted(const Conv2dBackwardData&, Inputs, Outputs);
static constexpr Kernel kConv2dBackwardData[] = {
    kernel<Conv2dBackwardData, conv2d_backward_data_onednn, conv2d_backward_data_onednn_declines>("onednn"),
    kernel<Conv2dBackwardData, conv2d_backward_data_direct, conv2d_backward_data_direct_declines>("direct"),
    kernel<Conv2dBackwardData, conv2d_backward_data_converted>("through f32")};
constinit KernelSlot Conv2dBackwardData::slot{kConv2dBackwardData};

const char* conv2d_backward_weights_onednn_declines(const Conv2dBackwardWeights&, Inputs,
                                                    std::span<const Tensor>);
void conv2d_backward_weights_onednn(const Conv2dBackwardWeights&, Inputs, Outputs);
const char* conv2d_backward_weights_direct_declines(const Conv2dBackwardWeights&, Inputs,
                                                    std::span<const Tensor>);
void conv2d_backward_weights_direct(const Conv2dBackwardWeights&, Inputs, Outputs);
void conv2d_backward_weights_converted(const Conv2dBackwardWeights&, Inputs, Outputs);
static constexpr Kernel kConv2dBackwardWeights[] = {
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_onednn, conv2d_backward_weights_onednn_declines>(
        "onednn"),
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_direct, conv2d_backward_weights_direct_declines>(
        "direct"),
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_converted>("through f32")};
constinit KernelSlot Conv2dBackwardWeights::slot{kConv2dBackwardWeights};

void copy_cpu(const Copy&, Inputs, Outputs);
static constexpr Kernel kCopy[] = {kernel<Copy, copy_cpu>("strided")};
constinit KernelSlot Copy::slot{kCopy};

void copy_into_cpu(const CopyInto&, Inputs, Outputs);
static constexpr Kernel kCopyInto[] = {kernel<CopyInto, copy_into_cpu>("strided")};
constinit KernelSlot CopyInto::slot{kCopyInto};

const char* cross_entropy_declines(const CrossEntropy&, Inputs, std::span<const Tensor>);
void cross_entropy_cpu(const CrossEntropy&, Inputs, Outputs);
static constexpr Kernel kCrossEntropy[] = {
    kernel<CrossEntropy, cross_entropy_cpu, cross_entropy_declines>("highway")};
constinit KernelSlot CrossEntropy::slot{kCrossEntropy};

const char* cross_entropy_backward_declines(const CrossEntropyBackward&, Inputs, std::span<const Tensor>);
void cross_entropy_backward_cpu(const CrossEntropyBackward&, Inputs, Outputs);
static constexpr Kernel kCrossEntropyBackward[] = {
    kernel<CrossEntropyBackward, cross_entropy_backward_cpu, cross_entropy_backward_declines>("highway")};
constinit KernelSlot CrossEntropyBackward::slot{kCrossEntropyBackward};

void divide_cpu(const Divide&, Inputs, Outputs);
static constexpr Kernel kDivide[] = {kernel<Divide, divide_cpu>("highway")};
constinit KernelSlot Divide::slot{kDivide};

void dropout_cpu(const Dropout&, Inputs, Outputs);
static constexpr Kernel kDropout[] = {kernel<Dropout, dropout_cpu>("highway")};
constinit KernelSlot Dropout::slot{kDropout};

void dropout_backward_cpu(const DropoutBackward&, Inputs, Outputs);
static constexpr Kernel kDropoutBackward[] = {kernel<DropoutBackward, dropout_backward_cpu>("highway")};
constinit KernelSlot DropoutBackward::slot{kDropoutBackward};

void embedding_cpu(const Embedding&, Inputs, Outputs);
static constexpr Kernel kEmbedding[] = {kernel<Embedding, embedding_cpu>("rows")};
constinit KernelSlot Embedding::slot{kEmbedding};

void embedding_backward_cpu(const EmbeddingBackward&, Inputs, Outputs);
static constexpr Kernel kEmbeddingBackward[] = {kernel<EmbeddingBackward, embedding_backward_cpu>("columns")};
constinit KernelSlot EmbeddingBackward::slot{kEmbeddingBackward};

void equal_cpu(const Equal&, Inputs, Outputs);
static constexpr Kernel kEqual[] = {kernel<Equal, equal_cpu>("highway")};
constinit KernelSlot Equal::slot{kEqual};

void exp_cpu(const Exp&, Inputs, Outputs);
static constexpr Kernel kExp[] = {kernel<Exp, exp_cpu>("highway")};
constinit KernelSlot Exp::slot{kExp};

constinit KernelSlot Expand::slot{};

void gelu_cpu(const Gelu&, Inputs, Outputs);
static constexpr Kernel kGelu[] = {kernel<Gelu, gelu_cpu>("highway")};
constinit KernelSlot Gelu::slot{kGelu};

void gelu_backward_cpu(const GeluBackward&, Inputs, Outputs);
static constexpr Kernel kGeluBackward[] = {kernel<GeluBackward, gelu_backward_cpu>("highway")};
constinit KernelSlot GeluBackward::slot{kGeluBackward};

const char* layer_norm_declines(const LayerNorm&, Inputs, std::span<const Tensor>);
void layer_norm_cpu(const LayerNorm&, Inputs, Outputs);
static constexpr Kernel kLayerNorm[] = {kernel<LayerNorm, layer_norm_cpu, layer_norm_declines>("rows")};
constinit KernelSlot LayerNorm::slot{kLayerNorm};

const char* layer_norm_backward_declines(const LayerNormBackward&, Inputs, std::span<const Tensor>);
void layer_norm_backward_cpu(const LayerNormBackward&, Inputs, Outputs);
static constexpr Kernel kLayerNormBackward[] = {
    kernel<LayerNormBackward, layer_norm_backward_cpu, layer_norm_backward_declines>("rows")};
constinit KernelSlot LayerNormBackward::slot{kLayerNormBackward};

const char* linear_declines(const Linear&, Inputs, std::span<const Tensor>);
void linear_cpu(const Linear&, Inputs, Outputs);
static constexpr Kernel kLinear[] = {kernel<Linear, linear_cpu, linear_declines>("gemm")};
constinit KernelSlot Linear::slot{kLinear};

const char* linear_backward_declines(const LinearBackward&, Inputs, std::span<const Tensor>);
void linear_backward_cpu(const LinearBackward&, Inputs, Outputs);
static constexpr Kernel kLinearBackward[] = {
    kernel<LinearBackward, linear_backward_cpu, linear_backward_declines>("gemm")};
constinit KernelSlot LinearBackward::slot{kLinearBackward};

void log_cpu(const Log&, Inputs, Outputs);
static constexpr Kernel kLog[] = {kernel<Log, log_cpu>("highway")};
constinit KernelSlot Log::slot{kLog};

const char* matmul_declines(const MatMul&, Inputs, std::span<const Tensor>);
void matmul_cpu(const MatMul&, Inputs, Outputs);
const char* matmul_integers_declines(const MatMul&, Inputs, std::span<const Tensor>);
void matmul_integers(const MatMul&, Inputs, Outputs);
static constexpr Kernel kMatMul[] = {kernel<MatMul, matmul_cpu, matmul_declines>("gemm"),
                                     kernel<MatMul, matmul_integers, matmul_integers_declines>("integers")};
constinit KernelSlot MatMul::slot{kMatMul};

void max_cpu(const Max&, Inputs, Outputs);
static constexpr Kernel kMax[] = {kernel<Max, max_cpu>("highway")};
constinit KernelSlot Max::slot{kMax};

const char* max_pool2d_f32_declines(const MaxPool2d&, Inputs, std::span<const Tensor>);
void max_pool2d_f32(const MaxPool2d&, Inputs, Outputs);
void max_pool2d_cpu(const MaxPool2d&, Inputs, Outputs);
static constexpr Kernel kMaxPool2d[] = {kernel<MaxPool2d, max_pool2d_f32, max_pool2d_f32_declines>("highway"),
                                        kernel<MaxPool2d, max_pool2d_cpu>("planes")};
constinit KernelSlot MaxPool2d::slot{kMaxPool2d};

const char* max_pool2d_backward_f32_declines(const MaxPool2dBackward&, Inputs, std::span<const Tensor>);
void max_pool2d_backward_f32(const MaxPool2dBackward&, Inputs, Outputs);
void max_pool2d_backward_cpu(const MaxPool2dBackward&, Inputs, Outputs);
static constexpr Kernel kMaxPool2dBackward[] = {
    kernel<MaxPool2dBackward, max_pool2d_backward_f32, max_pool2d_backward_f32_declines>("channels-last"),
    kernel<MaxPool2dBackward, max_pool2d_backward_cpu>("planes")};
constinit KernelSlot MaxPool2dBackward::slot{kMaxPool2dBackward};

void max_pool2d_take_cpu(const MaxPool2dTake&, Inputs, Outputs);
static constexpr Kernel kMaxPool2dTake[] = {kernel<MaxPool2dTake, max_pool2d_take_cpu>("planes")};
constinit KernelSlot MaxPool2dTake::slot{kMaxPool2dTake};

void mean_cpu(const Mean&, Inputs, Outputs);
void mean_reference(const Mean&, Inputs, Outputs);
static constexpr Kernel kMean[] = {kernel<Mean, mean_cpu>("highway"),
                                   kernel<Mean, mean_reference>("reference")};
constinit KernelSlot Mean::slot{kMean};

void mse_loss_cpu(const MseLoss&, Inputs, Outputs);
static constexpr Kernel kMseLoss[] = {kernel<MseLoss, mse_loss_cpu>("highway")};
constinit KernelSlot MseLoss::slot{kMseLoss};

void mse_loss_backward_cpu(const MseLossBackward&, Inputs, Outputs);
static constexpr Kernel kMseLossBackward[] = {kernel<MseLossBackward, mse_loss_backward_cpu>("highway")};
constinit KernelSlot MseLossBackward::slot{kMseLossBackward};

void multiply_cpu(const Multiply&, Inputs, Outputs);
static constexpr Kernel kMultiply[] = {kernel<Multiply, multiply_cpu>("highway")};
constinit KernelSlot Multiply::slot{kMultiply};

void negate_cpu(const Negate&, Inputs, Outputs);
static constexpr Kernel kNegate[] = {kernel<Negate, negate_cpu>("highway")};
constinit KernelSlot Negate::slot{kNegate};

void normal_cpu(const Normal&, Inputs, Outputs);
static constexpr Kernel kNormal[] = {kernel<Normal, normal_cpu>("philox")};
constinit KernelSlot Normal::slot{kNormal};

const char* one_hot_declines(const OneHot&, Inputs, std::span<const Tensor>);
void one_hot_cpu(const OneHot&, Inputs, Outputs);
static constexpr Kernel kOneHot[] = {kernel<OneHot, one_hot_cpu, one_hot_declines>("rows")};
constinit KernelSlot OneHot::slot{kOneHot};

void pad_cpu(const Pad&, Inputs, Outputs);
static constexpr Kernel kPad[] = {kernel<Pad, pad_cpu>("rows")};
constinit KernelSlot Pad::slot{kPad};

constinit KernelSlot Permute::slot{};

void random_integers_cpu(const RandomIntegers&, Inputs, Outputs);
static constexpr Kernel kRandomIntegers[] = {kernel<RandomIntegers, random_integers_cpu>("philox")};
constinit KernelSlot RandomIntegers::slot{kRandomIntegers};

void random_permutation_cpu(const RandomPermutation&, Inputs, Outputs);
static constexpr Kernel kRandomPermutation[] = {kernel<RandomPermutation, random_permutation_cpu>("sort")};
constinit KernelSlot RandomPermutation::slot{kRandomPermutation};

void relu_cpu(const Relu&, Inputs, Outputs);
static constexpr Kernel kRelu[] = {kernel<Relu, relu_cpu>("highway")};
constinit KernelSlot Relu::slot{kRelu};

void relu_backward_cpu(const ReluBackward&, Inputs, Outputs);
static constexpr Kernel kReluBackward[] = {kernel<ReluBackward, relu_backward_cpu>("highway")};
constinit KernelSlot ReluBackward::slot{kReluBackward};

constinit KernelSlot Reshape::slot{};

void sgd_step_cpu(const SgdStep&, Inputs, Outputs);
static constexpr Kernel kSgdStep[] = {kernel<SgdStep, sgd_step_cpu>("highway")};
constinit KernelSlot SgdStep::slot{kSgdStep};

void sigmoid_cpu(const Sigmoid&, Inputs, Outputs);
static constexpr Kernel kSigmoid[] = {kernel<Sigmoid, sigmoid_cpu>("highway")};
constinit KernelSlot Sigmoid::slot{kSigmoid};

void sigmoid_backward_cpu(const SigmoidBackward&, Inputs, Outputs);
static constexpr Kernel kSigmoidBackward[] = {kernel<SigmoidBackward, sigmoid_backward_cpu>("highway")};
constinit KernelSlot SigmoidBackward::slot{kSigmoidBackward};

constinit KernelSlot Slice::slot{};

constinit KernelSlot Split::slot{};

void sqrt_cpu(const Sqrt&, Inputs, Outputs);
static constexpr Kernel kSqrt[] = {kernel<Sqrt, sqrt_cpu>("highway")};
constinit KernelSlot Sqrt::slot{kSqrt};

void subtract_cpu(const Subtract&, Inputs, Outputs);
static constexpr Kernel kSubtract[] = {kernel<Subtract, subtract_cpu>("highway")};
constinit KernelSlot Subtract::slot{kSubtract};

void sum_cpu(const Sum&, Inputs, Outputs);
void sum_reference(const Sum&, Inputs, Outputs);
static constexpr Kernel kSum[] = {kernel<Sum, sum_cpu>("highway"), kernel<Sum, sum_reference>("reference")};
constinit KernelSlot Sum::slot{kSum};

void tanh_cpu(const Tanh&, Inputs, Outputs);
static constexpr Kernel kTanh[] = {kernel<Tanh, tanh_cpu>("highway")};
constinit KernelSlot Tanh::slot{kTanh};

void tanh_backward_cpu(const TanhBackward&, Inputs, Outputs);
static constexpr Kernel kTanhBackward[] = {kernel<TanhBackward, tanh_backward_cpu>("highway")};
constinit KernelSlot TanhBackward::slot{kTanhBackward};

void uniform_cpu(const Uniform&, Inputs, Outputs);
static constexpr Kernel kUniform[] = {kernel<Uniform, uniform_cpu>("philox")};
constinit KernelSlot Uniform::slot{kUniform};

}  // namespace espalier
