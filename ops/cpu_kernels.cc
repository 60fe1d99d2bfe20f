// The list of the CPU's kernels: for each operation the implementations, fastest first and the plain
// reference last. A kernel stands in <stem>_cpu.cc; its
// `*_declines` gives the reason why it does not take a problem, or null. Views have none.

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
#include "ops/cast.h"
#include "ops/cholesky.h"
#include "ops/clamp.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/determinant.h"
#include "ops/cumsum.h"
#include "ops/divide.h"
#include "ops/dropout.h"
#include "ops/eigh.h"
#include "ops/elu.h"
#include "ops/embedding.h"
#include "ops/equal.h"
#include "ops/erf.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/gather.h"
#include "ops/gelu.h"
#include "ops/global_norm.h"
#include "ops/hinge_embedding_loss.h"
#include "ops/group_norm.h"
#include "ops/index_select.h"
#include "ops/hardtanh.h"
#include "ops/isfinite.h"
#include "ops/kernel_lists_internal.h"
#include "ops/kl_div.h"
#include "ops/l1_loss.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/log.h"
#include "ops/logsumexp.h"
#include "ops/logical.h"
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
#include "ops/qr.h"
#include "ops/product.h"
#include "ops/power.h"
#include "ops/random.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/round.h"
#include "ops/sgd_step.h"
#include "ops/sigmoid.h"
#include "ops/silu.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/solve.h"
#include "ops/softplus.h"
#include "ops/sort.h"
#include "ops/split.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/svd.h"
#include "ops/tanh.h"
#include "ops/update_steps.h"
#include "ops/triangular_solve.h"
#include "ops/triangle.h"
#include "ops/trigonometry.h"
#include "ops/variance.h"
#include "ops/vector_norm.h"
#include "ops/where.h"

namespace espalier {

void abs_cpu(const Abs&, Inputs, Outputs);
constinit KernelSlot Abs::slot{kVectorised<Abs, abs_cpu>};

void abs_backward_cpu(const AbsBackward&, Inputs, Outputs);
constinit KernelSlot AbsBackward::slot{kVectorised<AbsBackward, abs_backward_cpu>};

void accumulate_cpu(const Accumulate&, Inputs, Outputs);
constinit KernelSlot Accumulate::slot{kVectorised<Accumulate, accumulate_cpu>};

void adam_step_cpu(const AdamStep&, Inputs, Outputs);
constinit KernelSlot AdamStep::slot{kVectorised<AdamStep, adam_step_cpu>};

void adaptive_avg_pool2d_cpu(const AdaptiveAvgPool2d&, Inputs, Outputs);
constinit KernelSlot AdaptiveAvgPool2d::slot{kPlain<AdaptiveAvgPool2d, adaptive_avg_pool2d_cpu>};

void adaptive_avg_pool2d_backward_cpu(const AdaptiveAvgPool2dBackward&, Inputs, Outputs);
constinit KernelSlot AdaptiveAvgPool2dBackward::slot{
    kPlain<AdaptiveAvgPool2dBackward, adaptive_avg_pool2d_backward_cpu>};

void adaptive_max_pool2d_cpu(const AdaptiveMaxPool2d&, Inputs, Outputs);
constinit KernelSlot AdaptiveMaxPool2d::slot{kPlain<AdaptiveMaxPool2d, adaptive_max_pool2d_cpu>};

void add_cpu(const Add&, Inputs, Outputs);
constinit KernelSlot Add::slot{kVectorised<Add, add_cpu>};

void all_cpu(const All&, Inputs, Outputs);
constinit KernelSlot All::slot{kVectorised<All, all_cpu>};

void any_cpu(const Any&, Inputs, Outputs);
constinit KernelSlot Any::slot{kVectorised<Any, any_cpu>};

void argmax_cpu(const Argmax&, Inputs, Outputs);
constinit KernelSlot Argmax::slot{kVectorised<Argmax, argmax_cpu>};

void argmin_cpu(const Argmin&, Inputs, Outputs);
constinit KernelSlot Argmin::slot{kVectorised<Argmin, argmin_cpu>};

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
constinit KernelSlot BinaryCrossEntropy::slot{kVectorised<BinaryCrossEntropy, binary_cross_entropy_cpu>};

void binary_cross_entropy_backward_cpu(const BinaryCrossEntropyBackward&, Inputs, Outputs);
constinit KernelSlot BinaryCrossEntropyBackward::slot{
    kVectorised<BinaryCrossEntropyBackward, binary_cross_entropy_backward_cpu>};

void binary_cross_entropy_with_logits_cpu(const BinaryCrossEntropyWithLogits&, Inputs, Outputs);
constinit KernelSlot BinaryCrossEntropyWithLogits::slot{
    kVectorised<BinaryCrossEntropyWithLogits, binary_cross_entropy_with_logits_cpu>};

void binary_cross_entropy_with_logits_backward_cpu(const BinaryCrossEntropyWithLogitsBackward&, Inputs,
                                                   Outputs);
constinit KernelSlot BinaryCrossEntropyWithLogitsBackward::slot{
    kVectorised<BinaryCrossEntropyWithLogitsBackward, binary_cross_entropy_with_logits_backward_cpu>};

void cast_cpu(const Cast&, Inputs, Outputs);
constinit KernelSlot Cast::slot{kPlain<Cast, cast_cpu>};

void cholesky_cpu(const Cholesky&, Inputs, Outputs);
constinit KernelSlot Cholesky::slot{kLapack<Cholesky, cholesky_cpu>};
void clamp_cpu(const Clamp&, Inputs, Outputs);
constinit KernelSlot Clamp::slot{kVectorised<Clamp, clamp_cpu>};

void clamp_backward_cpu(const ClampBackward&, Inputs, Outputs);
constinit KernelSlot ClampBackward::slot{kVectorised<ClampBackward, clamp_backward_cpu>};

void clamp_between_cpu(const ClampBetween&, Inputs, Outputs);
constinit KernelSlot ClampBetween::slot{kVectorised<ClampBetween, clamp_between_cpu>};

void equal_cpu(const Equal&, Inputs, Outputs);
constinit KernelSlot Equal::slot{kVectorised<Equal, equal_cpu>};

void not_equal_cpu(const NotEqual&, Inputs, Outputs);
constinit KernelSlot NotEqual::slot{kVectorised<NotEqual, not_equal_cpu>};

void less_cpu(const Less&, Inputs, Outputs);
constinit KernelSlot Less::slot{kVectorised<Less, less_cpu>};

void less_equal_cpu(const LessEqual&, Inputs, Outputs);
constinit KernelSlot LessEqual::slot{kVectorised<LessEqual, less_equal_cpu>};

void concat_cpu(const Concat&, Inputs, Outputs);
constinit KernelSlot Concat::slot{kPlain<Concat, concat_cpu>};

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
constinit KernelSlot Copy::slot{kPlain<Copy, copy_cpu>};

void copy_into_cpu(const CopyInto&, Inputs, Outputs);
constinit KernelSlot CopyInto::slot{kPlain<CopyInto, copy_into_cpu>};

void count_nonzero_cpu(const CountNonzero&, Inputs, Outputs);
constinit KernelSlot CountNonzero::slot{kVectorised<CountNonzero, count_nonzero_cpu>};

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

void determinant_cpu(const Determinant&, Inputs, Outputs);
constinit KernelSlot Determinant::slot{kLapack<Determinant, determinant_cpu>};

void log_determinant_cpu(const LogDeterminant&, Inputs, Outputs);
constinit KernelSlot LogDeterminant::slot{kLapack<LogDeterminant, log_determinant_cpu>};

void eigh_cpu(const Eigh&, Inputs, Outputs);
constinit KernelSlot Eigh::slot{kLapack<Eigh, eigh_cpu>};
void cumprod_cpu(const CumulativeProduct&, Inputs, Outputs);
constinit KernelSlot CumulativeProduct::slot{kPlain<CumulativeProduct, cumprod_cpu>};

void cumprod_backward_cpu(const CumulativeProductBackward&, Inputs, Outputs);
constinit KernelSlot CumulativeProductBackward::slot{kPlain<CumulativeProductBackward, cumprod_backward_cpu>};

void cumsum_cpu(const CumulativeSum&, Inputs, Outputs);
constinit KernelSlot CumulativeSum::slot{kPlain<CumulativeSum, cumsum_cpu>};

void divide_cpu(const Divide&, Inputs, Outputs);
constinit KernelSlot Divide::slot{kVectorised<Divide, divide_cpu>};

void dropout_cpu(const Dropout&, Inputs, Outputs);
constinit KernelSlot Dropout::slot{kVectorised<Dropout, dropout_cpu>};

void dropout_backward_cpu(const DropoutBackward&, Inputs, Outputs);
constinit KernelSlot DropoutBackward::slot{kVectorised<DropoutBackward, dropout_backward_cpu>};

void elu_cpu(const Elu&, Inputs, Outputs);
constinit KernelSlot Elu::slot{kVectorised<Elu, elu_cpu>};

void elu_backward_cpu(const EluBackward&, Inputs, Outputs);
constinit KernelSlot EluBackward::slot{kVectorised<EluBackward, elu_backward_cpu>};

void embedding_cpu(const Embedding&, Inputs, Outputs);
constinit KernelSlot Embedding::slot{kPlain<Embedding, embedding_cpu>};

void embedding_backward_cpu(const EmbeddingBackward&, Inputs, Outputs);
constinit KernelSlot EmbeddingBackward::slot{kPlain<EmbeddingBackward, embedding_backward_cpu>};

void equal_cpu(const Equal&, Inputs, Outputs);
constinit KernelSlot Equal::slot{kVectorised<Equal, equal_cpu>};

void erf_cpu(const Erf&, Inputs, Outputs);
constinit KernelSlot Erf::slot{kVectorised<Erf, erf_cpu>};

void exp_cpu(const Exp&, Inputs, Outputs);
constinit KernelSlot Exp::slot{kVectorised<Exp, exp_cpu>};

void exp2_cpu(const Exp2&, Inputs, Outputs);
constinit KernelSlot Exp2::slot{kVectorised<Exp2, exp2_cpu>};

void expm1_cpu(const Expm1&, Inputs, Outputs);
constinit KernelSlot Expm1::slot{kVectorised<Expm1, expm1_cpu>};

constinit KernelSlot Expand::slot{};

void flip_cpu(const Flip&, Inputs, Outputs);
constinit KernelSlot Flip::slot{kPlain<Flip, flip_cpu>};

void gather_cpu(const Gather&, Inputs, Outputs);
constinit KernelSlot Gather::slot{kPlain<Gather, gather_cpu>};

void gelu_cpu(const Gelu&, Inputs, Outputs);
constinit KernelSlot Gelu::slot{kVectorised<Gelu, gelu_cpu>};

void gelu_backward_cpu(const GeluBackward&, Inputs, Outputs);
constinit KernelSlot GeluBackward::slot{kVectorised<GeluBackward, gelu_backward_cpu>};

void global_norm_cpu(const GlobalNorm&, Inputs, Outputs);
constinit KernelSlot GlobalNorm::slot{kVectorised<GlobalNorm, global_norm_cpu>};

void clip_by_norm_cpu(const ClipByNorm&, Inputs, Outputs);
constinit KernelSlot ClipByNorm::slot{kVectorised<ClipByNorm, clip_by_norm_cpu>};

void clip_by_value_cpu(const ClipByValue&, Inputs, Outputs);
constinit KernelSlot ClipByValue::slot{kVectorised<ClipByValue, clip_by_value_cpu>};
void hinge_embedding_loss_cpu(const HingeEmbeddingLoss&, Inputs, Outputs);
constinit KernelSlot HingeEmbeddingLoss::slot{kVectorised<HingeEmbeddingLoss, hinge_embedding_loss_cpu>};

void hinge_embedding_loss_backward_cpu(const HingeEmbeddingLossBackward&, Inputs, Outputs);
constinit KernelSlot HingeEmbeddingLossBackward::slot{
    kVectorised<HingeEmbeddingLossBackward, hinge_embedding_loss_backward_cpu>};

void huber_loss_cpu(const HuberLoss&, Inputs, Outputs);
constinit KernelSlot HuberLoss::slot{kVectorised<HuberLoss, huber_loss_cpu>};

void huber_loss_backward_cpu(const HuberLossBackward&, Inputs, Outputs);
constinit KernelSlot HuberLossBackward::slot{kVectorised<HuberLossBackward, huber_loss_backward_cpu>};

void kl_div_cpu(const KlDiv&, Inputs, Outputs);
constinit KernelSlot KlDiv::slot{kVectorised<KlDiv, kl_div_cpu>};

void kl_div_backward_cpu(const KlDivBackward&, Inputs, Outputs);
constinit KernelSlot KlDivBackward::slot{kVectorised<KlDivBackward, kl_div_backward_cpu>};

void l1_loss_cpu(const L1Loss&, Inputs, Outputs);
constinit KernelSlot L1Loss::slot{kVectorised<L1Loss, l1_loss_cpu>};

void l1_loss_backward_cpu(const L1LossBackward&, Inputs, Outputs);
constinit KernelSlot L1LossBackward::slot{kVectorised<L1LossBackward, l1_loss_backward_cpu>};
void group_norm_cpu(const GroupNorm&, Inputs, Outputs);
constinit KernelSlot GroupNorm::slot{kVectorised<GroupNorm, group_norm_cpu>};

void group_norm_backward_cpu(const GroupNormBackward&, Inputs, Outputs);
constinit KernelSlot GroupNormBackward::slot{kVectorised<GroupNormBackward, group_norm_backward_cpu>};
void hardtanh_cpu(const Hardtanh&, Inputs, Outputs);
constinit KernelSlot Hardtanh::slot{kVectorised<Hardtanh, hardtanh_cpu>};

void hardtanh_backward_cpu(const HardtanhBackward&, Inputs, Outputs);
constinit KernelSlot HardtanhBackward::slot{kVectorised<HardtanhBackward, hardtanh_backward_cpu>};

void hardsigmoid_cpu(const Hardsigmoid&, Inputs, Outputs);
constinit KernelSlot Hardsigmoid::slot{kVectorised<Hardsigmoid, hardsigmoid_cpu>};

void hardswish_cpu(const Hardswish&, Inputs, Outputs);
constinit KernelSlot Hardswish::slot{kVectorised<Hardswish, hardswish_cpu>};

void hardswish_backward_cpu(const HardswishBackward&, Inputs, Outputs);
constinit KernelSlot HardswishBackward::slot{kVectorised<HardswishBackward, hardswish_backward_cpu>};
void isfinite_cpu(const IsFinite&, Inputs, Outputs);
constinit KernelSlot IsFinite::slot{kVectorised<IsFinite, isfinite_cpu>};

void isinf_cpu(const IsInf&, Inputs, Outputs);
constinit KernelSlot IsInf::slot{kVectorised<IsInf, isinf_cpu>};

void isnan_cpu(const IsNan&, Inputs, Outputs);
constinit KernelSlot IsNan::slot{kVectorised<IsNan, isnan_cpu>};

const char* layer_norm_declines(const LayerNorm&, Inputs, std::span<const Tensor>);
void index_add_cpu(const IndexAdd&, Inputs, Outputs);
constinit KernelSlot IndexAdd::slot{kPlain<IndexAdd, index_add_cpu>};

void index_select_cpu(const IndexSelect&, Inputs, Outputs);
constinit KernelSlot IndexSelect::slot{kPlain<IndexSelect, index_select_cpu>};

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
constinit KernelSlot Log::slot{kVectorised<Log, log_cpu>};

void log_softmax_cpu(const LogSoftmax&, Inputs, Outputs);
constinit KernelSlot LogSoftmax::slot{kVectorised<LogSoftmax, log_softmax_cpu>};

void log_softmax_backward_cpu(const LogSoftmaxBackward&, Inputs, Outputs);
constinit KernelSlot LogSoftmaxBackward::slot{kVectorised<LogSoftmaxBackward, log_softmax_backward_cpu>};
void log1p_cpu(const Log1p&, Inputs, Outputs);
constinit KernelSlot Log1p::slot{kVectorised<Log1p, log1p_cpu>};

void log2_cpu(const Log2&, Inputs, Outputs);
constinit KernelSlot Log2::slot{kVectorised<Log2, log2_cpu>};

void log10_cpu(const Log10&, Inputs, Outputs);
constinit KernelSlot Log10::slot{kVectorised<Log10, log10_cpu>};
void logsumexp_cpu(const LogSumExp&, Inputs, Outputs);
constinit KernelSlot LogSumExp::slot{kVectorised<LogSumExp, logsumexp_cpu>};
void logical_and_cpu(const LogicalAnd&, Inputs, Outputs);
constinit KernelSlot LogicalAnd::slot{kVectorised<LogicalAnd, logical_and_cpu>};

void logical_or_cpu(const LogicalOr&, Inputs, Outputs);
constinit KernelSlot LogicalOr::slot{kVectorised<LogicalOr, logical_or_cpu>};

void logical_xor_cpu(const LogicalXor&, Inputs, Outputs);
constinit KernelSlot LogicalXor::slot{kVectorised<LogicalXor, logical_xor_cpu>};

void logical_not_cpu(const LogicalNot&, Inputs, Outputs);
constinit KernelSlot LogicalNot::slot{kVectorised<LogicalNot, logical_not_cpu>};

const char* matmul_declines(const MatMul&, Inputs, std::span<const Tensor>);
void matmul_cpu(const MatMul&, Inputs, Outputs);
const char* matmul_integers_declines(const MatMul&, Inputs, std::span<const Tensor>);
void matmul_integers(const MatMul&, Inputs, Outputs);
static constexpr Kernel kMatMul[] = {kernel<MatMul, matmul_cpu, matmul_declines>("gemm"),
                                     kernel<MatMul, matmul_integers, matmul_integers_declines>("integers")};
constinit KernelSlot MatMul::slot{kMatMul};

void max_cpu(const Max&, Inputs, Outputs);
constinit KernelSlot Max::slot{kVectorised<Max, max_cpu>};

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
constinit KernelSlot MaxPool2dTake::slot{kPlain<MaxPool2dTake, max_pool2d_take_cpu>};

void max_with_indices_cpu(const MaxWithIndices&, Inputs, Outputs);
constinit KernelSlot MaxWithIndices::slot{kVectorised<MaxWithIndices, max_with_indices_cpu>};
void maximum_cpu(const Maximum&, Inputs, Outputs);
constinit KernelSlot Maximum::slot{kVectorised<Maximum, maximum_cpu>};

void minimum_cpu(const Minimum&, Inputs, Outputs);
constinit KernelSlot Minimum::slot{kVectorised<Minimum, minimum_cpu>};

void maximum_backward_cpu(const MaximumBackward&, Inputs, Outputs);
constinit KernelSlot MaximumBackward::slot{kVectorised<MaximumBackward, maximum_backward_cpu>};

void mean_cpu(const Mean&, Inputs, Outputs);
void mean_reference(const Mean&, Inputs, Outputs);
static constexpr Kernel kMean[] = {kernel<Mean, mean_cpu>("highway"),
                                   kernel<Mean, mean_reference>("reference")};
constinit KernelSlot Mean::slot{kMean};

void min_cpu(const Min&, Inputs, Outputs);
constinit KernelSlot Min::slot{kVectorised<Min, min_cpu>};

void min_with_indices_cpu(const MinWithIndices&, Inputs, Outputs);
constinit KernelSlot MinWithIndices::slot{kVectorised<MinWithIndices, min_with_indices_cpu>};

void mse_loss_cpu(const MseLoss&, Inputs, Outputs);
constinit KernelSlot MseLoss::slot{kVectorised<MseLoss, mse_loss_cpu>};

void mse_loss_backward_cpu(const MseLossBackward&, Inputs, Outputs);
constinit KernelSlot MseLossBackward::slot{kVectorised<MseLossBackward, mse_loss_backward_cpu>};

void multiply_cpu(const Multiply&, Inputs, Outputs);
constinit KernelSlot Multiply::slot{kVectorised<Multiply, multiply_cpu>};

void negate_cpu(const Negate&, Inputs, Outputs);
constinit KernelSlot Negate::slot{kVectorised<Negate, negate_cpu>};

void normal_cpu(const Normal&, Inputs, Outputs);
constinit KernelSlot Normal::slot{kVectorised<Normal, normal_cpu>};

void nll_loss_cpu(const NllLoss&, Inputs, Outputs);
constinit KernelSlot NllLoss::slot{kPlain<NllLoss, nll_loss_cpu>};

void nll_loss_backward_cpu(const NllLossBackward&, Inputs, Outputs);
constinit KernelSlot NllLossBackward::slot{kPlain<NllLossBackward, nll_loss_backward_cpu>};

const char* one_hot_declines(const OneHot&, Inputs, std::span<const Tensor>);
void one_hot_cpu(const OneHot&, Inputs, Outputs);
static constexpr Kernel kOneHot[] = {kernel<OneHot, one_hot_cpu, one_hot_declines>("rows")};
constinit KernelSlot OneHot::slot{kOneHot};

void pad_cpu(const Pad&, Inputs, Outputs);
constinit KernelSlot Pad::slot{kPlain<Pad, pad_cpu>};

constinit KernelSlot Permute::slot{};

void qr_cpu(const Qr&, Inputs, Outputs);
constinit KernelSlot Qr::slot{kLapack<Qr, qr_cpu>};
void product_cpu(const Product&, Inputs, Outputs);
constinit KernelSlot Product::slot{kVectorised<Product, product_cpu>};

void product_backward_cpu(const ProductBackward&, Inputs, Outputs);
constinit KernelSlot ProductBackward::slot{kVectorised<ProductBackward, product_backward_cpu>};

void put_along_axis_cpu(const PutAlongAxis&, Inputs, Outputs);
constinit KernelSlot PutAlongAxis::slot{kPlain<PutAlongAxis, put_along_axis_cpu>};
void power_cpu(const Power&, Inputs, Outputs);
constinit KernelSlot Power::slot{kVectorised<Power, power_cpu>};

void power_backward_cpu(const PowerBackward&, Inputs, Outputs);
constinit KernelSlot PowerBackward::slot{kVectorised<PowerBackward, power_backward_cpu>};

void random_integers_cpu(const RandomIntegers&, Inputs, Outputs);
constinit KernelSlot RandomIntegers::slot{kVectorised<RandomIntegers, random_integers_cpu>};

void random_permutation_cpu(const RandomPermutation&, Inputs, Outputs);
constinit KernelSlot RandomPermutation::slot{kPlain<RandomPermutation, random_permutation_cpu>};

void reciprocal_cpu(const Reciprocal&, Inputs, Outputs);
constinit KernelSlot Reciprocal::slot{kVectorised<Reciprocal, reciprocal_cpu>};

void rsqrt_cpu(const Rsqrt&, Inputs, Outputs);
constinit KernelSlot Rsqrt::slot{kVectorised<Rsqrt, rsqrt_cpu>};

void relu_cpu(const Relu&, Inputs, Outputs);
constinit KernelSlot Relu::slot{kVectorised<Relu, relu_cpu>};

void relu_backward_cpu(const ReluBackward&, Inputs, Outputs);
constinit KernelSlot ReluBackward::slot{kVectorised<ReluBackward, relu_backward_cpu>};

void leaky_relu_cpu(const LeakyRelu&, Inputs, Outputs);
constinit KernelSlot LeakyRelu::slot{kVectorised<LeakyRelu, leaky_relu_cpu>};

void leaky_relu_backward_cpu(const LeakyReluBackward&, Inputs, Outputs);
constinit KernelSlot LeakyReluBackward::slot{kVectorised<LeakyReluBackward, leaky_relu_backward_cpu>};

constinit KernelSlot Reshape::slot{};

void rms_norm_cpu(const RmsNorm&, Inputs, Outputs);
constinit KernelSlot RmsNorm::slot{kVectorised<RmsNorm, rms_norm_cpu>};

void rms_norm_backward_cpu(const RmsNormBackward&, Inputs, Outputs);
constinit KernelSlot RmsNormBackward::slot{kVectorised<RmsNormBackward, rms_norm_backward_cpu>};
void scatter_cpu(const Scatter&, Inputs, Outputs);
constinit KernelSlot Scatter::slot{kPlain<Scatter, scatter_cpu>};

void scatter_add_cpu(const ScatterAdd&, Inputs, Outputs);
constinit KernelSlot ScatterAdd::slot{kPlain<ScatterAdd, scatter_add_cpu>};
void floor_cpu(const Floor&, Inputs, Outputs);
constinit KernelSlot Floor::slot{kVectorised<Floor, floor_cpu>};

void ceil_cpu(const Ceil&, Inputs, Outputs);
constinit KernelSlot Ceil::slot{kVectorised<Ceil, ceil_cpu>};

void round_cpu(const Round&, Inputs, Outputs);
constinit KernelSlot Round::slot{kVectorised<Round, round_cpu>};

void trunc_cpu(const Trunc&, Inputs, Outputs);
constinit KernelSlot Trunc::slot{kVectorised<Trunc, trunc_cpu>};

void sign_cpu(const Sign&, Inputs, Outputs);
constinit KernelSlot Sign::slot{kVectorised<Sign, sign_cpu>};

void sgd_step_cpu(const SgdStep&, Inputs, Outputs);
constinit KernelSlot SgdStep::slot{kVectorised<SgdStep, sgd_step_cpu>};

void sigmoid_cpu(const Sigmoid&, Inputs, Outputs);
constinit KernelSlot Sigmoid::slot{kVectorised<Sigmoid, sigmoid_cpu>};

void sigmoid_backward_cpu(const SigmoidBackward&, Inputs, Outputs);
constinit KernelSlot SigmoidBackward::slot{kVectorised<SigmoidBackward, sigmoid_backward_cpu>};

void silu_cpu(const Silu&, Inputs, Outputs);
constinit KernelSlot Silu::slot{kVectorised<Silu, silu_cpu>};

void silu_backward_cpu(const SiluBackward&, Inputs, Outputs);
constinit KernelSlot SiluBackward::slot{kVectorised<SiluBackward, silu_backward_cpu>};

void mish_cpu(const Mish&, Inputs, Outputs);
constinit KernelSlot Mish::slot{kVectorised<Mish, mish_cpu>};

void mish_backward_cpu(const MishBackward&, Inputs, Outputs);
constinit KernelSlot MishBackward::slot{kVectorised<MishBackward, mish_backward_cpu>};

constinit KernelSlot Slice::slot{};

void softmax_cpu(const Softmax&, Inputs, Outputs);
constinit KernelSlot Softmax::slot{kVectorised<Softmax, softmax_cpu>};

void softmax_backward_cpu(const SoftmaxBackward&, Inputs, Outputs);
constinit KernelSlot SoftmaxBackward::slot{kVectorised<SoftmaxBackward, softmax_backward_cpu>};
void softplus_cpu(const Softplus&, Inputs, Outputs);
constinit KernelSlot Softplus::slot{kVectorised<Softplus, softplus_cpu>};

void softplus_backward_cpu(const SoftplusBackward&, Inputs, Outputs);
constinit KernelSlot SoftplusBackward::slot{kVectorised<SoftplusBackward, softplus_backward_cpu>};

void log_sigmoid_cpu(const LogSigmoid&, Inputs, Outputs);
constinit KernelSlot LogSigmoid::slot{kVectorised<LogSigmoid, log_sigmoid_cpu>};

void log_sigmoid_backward_cpu(const LogSigmoidBackward&, Inputs, Outputs);
constinit KernelSlot LogSigmoidBackward::slot{kVectorised<LogSigmoidBackward, log_sigmoid_backward_cpu>};
void sort_cpu(const Sort&, Inputs, Outputs);
constinit KernelSlot Sort::slot{kPlain<Sort, sort_cpu>};

constinit KernelSlot Split::slot{};

void smooth_l1_loss_cpu(const SmoothL1Loss&, Inputs, Outputs);
constinit KernelSlot SmoothL1Loss::slot{kVectorised<SmoothL1Loss, smooth_l1_loss_cpu>};

void smooth_l1_loss_backward_cpu(const SmoothL1LossBackward&, Inputs, Outputs);
constinit KernelSlot SmoothL1LossBackward::slot{
    kVectorised<SmoothL1LossBackward, smooth_l1_loss_backward_cpu>};
void solve_cpu(const Solve&, Inputs, Outputs);
constinit KernelSlot Solve::slot{kLapack<Solve, solve_cpu>};

void inverse_cpu(const Inverse&, Inputs, Outputs);
constinit KernelSlot Inverse::slot{kLapack<Inverse, inverse_cpu>};

void sqrt_cpu(const Sqrt&, Inputs, Outputs);
constinit KernelSlot Sqrt::slot{kVectorised<Sqrt, sqrt_cpu>};

void standard_deviation_cpu(const StandardDeviation&, Inputs, Outputs);
constinit KernelSlot StandardDeviation::slot{kVectorised<StandardDeviation, standard_deviation_cpu>};

void subtract_cpu(const Subtract&, Inputs, Outputs);
constinit KernelSlot Subtract::slot{kVectorised<Subtract, subtract_cpu>};

void sum_cpu(const Sum&, Inputs, Outputs);
void sum_reference(const Sum&, Inputs, Outputs);
static constexpr Kernel kSum[] = {kernel<Sum, sum_cpu>("highway"), kernel<Sum, sum_reference>("reference")};
constinit KernelSlot Sum::slot{kSum};

void svd_cpu(const Svd&, Inputs, Outputs);
constinit KernelSlot Svd::slot{kLapack<Svd, svd_cpu>};
void take_along_axis_cpu(const TakeAlongAxis&, Inputs, Outputs);
constinit KernelSlot TakeAlongAxis::slot{kPlain<TakeAlongAxis, take_along_axis_cpu>};

void tanh_cpu(const Tanh&, Inputs, Outputs);
constinit KernelSlot Tanh::slot{kVectorised<Tanh, tanh_cpu>};

void tanh_backward_cpu(const TanhBackward&, Inputs, Outputs);
constinit KernelSlot TanhBackward::slot{kVectorised<TanhBackward, tanh_backward_cpu>};

void triangular_solve_cpu(const TriangularSolve&, Inputs, Outputs);
constinit KernelSlot TriangularSolve::slot{kLapack<TriangularSolve, triangular_solve_cpu>};
void tril_cpu(const Tril&, Inputs, Outputs);
constinit KernelSlot Tril::slot{kPlain<Tril, tril_cpu>};

void triu_cpu(const Triu&, Inputs, Outputs);
constinit KernelSlot Triu::slot{kPlain<Triu, triu_cpu>};
void sin_cpu(const Sin&, Inputs, Outputs);
constinit KernelSlot Sin::slot{kVectorised<Sin, sin_cpu>};

void cos_cpu(const Cos&, Inputs, Outputs);
constinit KernelSlot Cos::slot{kVectorised<Cos, cos_cpu>};

void tan_cpu(const Tan&, Inputs, Outputs);
constinit KernelSlot Tan::slot{kVectorised<Tan, tan_cpu>};
void topk_cpu(const TopK&, Inputs, Outputs);
constinit KernelSlot TopK::slot{kPlain<TopK, topk_cpu>};

void uniform_cpu(const Uniform&, Inputs, Outputs);
constinit KernelSlot Uniform::slot{kVectorised<Uniform, uniform_cpu>};

void rmsprop_step_cpu(const RmspropStep&, Inputs, Outputs);
constinit KernelSlot RmspropStep::slot{kVectorised<RmspropStep, rmsprop_step_cpu>};

void adagrad_step_cpu(const AdagradStep&, Inputs, Outputs);
constinit KernelSlot AdagradStep::slot{kVectorised<AdagradStep, adagrad_step_cpu>};

void adadelta_step_cpu(const AdadeltaStep&, Inputs, Outputs);
constinit KernelSlot AdadeltaStep::slot{kVectorised<AdadeltaStep, adadelta_step_cpu>};

void lion_step_cpu(const LionStep&, Inputs, Outputs);
constinit KernelSlot LionStep::slot{kVectorised<LionStep, lion_step_cpu>};

void average_step_cpu(const AverageStep&, Inputs, Outputs);
constinit KernelSlot AverageStep::slot{kVectorised<AverageStep, average_step_cpu>};
void variance_cpu(const Variance&, Inputs, Outputs);
constinit KernelSlot Variance::slot{kVectorised<Variance, variance_cpu>};

void vector_norm_cpu(const VectorNorm&, Inputs, Outputs);
constinit KernelSlot VectorNorm::slot{kVectorised<VectorNorm, vector_norm_cpu>};
void where_cpu(const Where&, Inputs, Outputs);
constinit KernelSlot Where::slot{kVectorised<Where, where_cpu>};

}  // namespace espalier
