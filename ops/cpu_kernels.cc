// The list of the CPU's kernels: for each operation the implementations, fastest first and the plain
// reference last. A kernel stands in <stem>_cpu.cc; its `*_declines` gives the reason why it does not take a
// problem, or null. Views have none. Convolutions (cpu_conv_kernels.cc), what
// works on 8-bit integers (cpu_int8_kernels.cc) and what works element by element
// (cpu_elementwise_kernels.cc) have lists of their own.

#include "ops/accumulate.h"
#include "ops/adam_step.h"
#include "ops/adaptive_pool2d.h"
#include "ops/along_axis_internal.h"
#include "ops/any.h"
#include "ops/argmax.h"
#include "ops/attention.h"
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/binary_cross_entropy.h"
#include "ops/binary_cross_entropy_with_logits.h"
#include "ops/cached_attention.h"
#include "ops/cholesky.h"
#include "ops/concat.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/cumsum.h"
#include "ops/determinant.h"
#include "ops/dropout.h"
#include "ops/eigh.h"
#include "ops/embedding.h"
#include "ops/equal.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/fused_elementwise.h"
#include "ops/fused_linear.h"
#include "ops/gather.h"
#include "ops/global_norm.h"
#include "ops/group_norm.h"
#include "ops/gru_cell.h"
#include "ops/hinge_embedding_loss.h"
#include "ops/index_select.h"
#include "ops/kernel_lists_internal.h"
#include "ops/kl_div.h"
#include "ops/l1_loss.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/logsumexp.h"
#include "ops/lstm_cell.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/max_pool2d.h"
#include "ops/mean.h"
#include "ops/mse_loss.h"
#include "ops/nll_loss.h"
#include "ops/one_hot.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/power.h"
#include "ops/product.h"
#include "ops/qr.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/sample_token.h"
#include "ops/sgd_step.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/solve.h"
#include "ops/sort.h"
#include "ops/split.h"
#include "ops/sum.h"
#include "ops/svd.h"
#include "ops/triangle.h"
#include "ops/triangular_solve.h"
#include "ops/update_steps.h"
#include "ops/variance.h"
#include "ops/vector_norm.h"

namespace espalier {

ESPALIER_VECTORISED_KERNEL(Accumulate, accumulate)
ESPALIER_VECTORISED_KERNEL(AdadeltaStep, adadelta_step)
ESPALIER_VECTORISED_KERNEL(AdagradStep, adagrad_step)
ESPALIER_VECTORISED_KERNEL(AdamStep, adam_step)
ESPALIER_PLAIN_KERNEL(AdaptiveAvgPool2d, adaptive_avg_pool2d)
ESPALIER_KERNEL_WITH_SCRATCH(AdaptiveAvgPool2dBackward, adaptive_avg_pool2d_backward, "plain")
ESPALIER_PLAIN_KERNEL(AdaptiveMaxPool2d, adaptive_max_pool2d)
ESPALIER_REDUCTION_KERNEL(All, all)
ESPALIER_REDUCTION_KERNEL(Any, any)
ESPALIER_VECTORISED_KERNEL(Argmax, argmax)
ESPALIER_VECTORISED_KERNEL(Argmin, argmin)

const char* attention_declines(const Attention&, Inputs, Specs);
size_t attention_scratch(const Attention&, Inputs, Specs);
void attention_cpu(const Attention&, Inputs, Outputs, void*);
static constexpr Kernel kAttention[] = {
    kernel<Attention, attention_cpu, attention_declines, nullptr, attention_scratch>("tiles")};
constinit KernelSlot Attention::slot{kAttention};

const char* attention_backward_declines(const AttentionBackward&, Inputs, Specs);
size_t attention_backward_scratch(const AttentionBackward&, Inputs, Specs);
void attention_backward_cpu(const AttentionBackward&, Inputs, Outputs, void*);
static constexpr Kernel kAttentionBackward[] = {
    kernel<AttentionBackward, attention_backward_cpu, attention_backward_declines, nullptr,
           attention_backward_scratch>("tiles")};
constinit KernelSlot AttentionBackward::slot{kAttentionBackward};

ESPALIER_VECTORISED_KERNEL(AverageStep, average_step)

const char* avg_pool2d_f32_declines(const AvgPool2d&, Inputs, Specs);
void avg_pool2d_f32(const AvgPool2d&, Inputs, Outputs);
void avg_pool2d_cpu(const AvgPool2d&, Inputs, Outputs);
static constexpr Kernel kAvgPool2d[] = {kernel<AvgPool2d, avg_pool2d_f32, avg_pool2d_f32_declines>("highway"),
                                        kernel<AvgPool2d, avg_pool2d_cpu>("planes")};
constinit KernelSlot AvgPool2d::slot{kAvgPool2d};

const char* avg_pool2d_backward_f32_declines(const AvgPool2dBackward&, Inputs, Specs);
size_t avg_pool2d_backward_f32_scratch(const AvgPool2dBackward&, Inputs, Specs);
void avg_pool2d_backward_f32(const AvgPool2dBackward&, Inputs, Outputs, void*);
size_t avg_pool2d_backward_scratch(const AvgPool2dBackward&, Inputs, Specs);
void avg_pool2d_backward_cpu(const AvgPool2dBackward&, Inputs, Outputs, void*);
static constexpr Kernel kAvgPool2dBackward[] = {
    kernel<AvgPool2dBackward, avg_pool2d_backward_f32, avg_pool2d_backward_f32_declines, nullptr,
           avg_pool2d_backward_f32_scratch>("highway"),
    kernel<AvgPool2dBackward, avg_pool2d_backward_cpu, nullptr, nullptr, avg_pool2d_backward_scratch>(
        "planes")};
constinit KernelSlot AvgPool2dBackward::slot{kAvgPool2dBackward};

const char* batch_norm_f32_declines(const BatchNorm&, Inputs, Specs);
size_t batch_norm_f32_scratch(const BatchNorm&, Inputs, Specs);
void batch_norm_f32(const BatchNorm&, Inputs, Outputs, void*);
void batch_norm_reference(const BatchNorm&, Inputs, Outputs);
static constexpr Kernel kBatchNorm[] = {
    kernel<BatchNorm, batch_norm_f32, batch_norm_f32_declines, nullptr, batch_norm_f32_scratch>("highway"),
    reference(kernel<BatchNorm, batch_norm_reference>("reference"))};
constinit KernelSlot BatchNorm::slot{kBatchNorm};

const char* batch_norm_backward_f32_declines(const BatchNormBackward&, Inputs, Specs);
size_t batch_norm_backward_f32_scratch(const BatchNormBackward&, Inputs, Specs);
void batch_norm_backward_f32(const BatchNormBackward&, Inputs, Outputs, void*);
void batch_norm_backward_reference(const BatchNormBackward&, Inputs, Outputs);
static constexpr Kernel kBatchNormBackward[] = {
    kernel<BatchNormBackward, batch_norm_backward_f32, batch_norm_backward_f32_declines, nullptr,
           batch_norm_backward_f32_scratch>("highway"),
    reference(kernel<BatchNormBackward, batch_norm_backward_reference>("reference"))};
constinit KernelSlot BatchNormBackward::slot{kBatchNormBackward};

ESPALIER_LOSS_KERNEL(BinaryCrossEntropy, binary_cross_entropy)
ESPALIER_VECTORISED_KERNEL(BinaryCrossEntropyBackward, binary_cross_entropy_backward)
ESPALIER_LOSS_KERNEL(BinaryCrossEntropyWithLogits, binary_cross_entropy_with_logits)
ESPALIER_VECTORISED_KERNEL(BinaryCrossEntropyWithLogitsBackward, binary_cross_entropy_with_logits_backward)

const char* cached_attention_tiles_declines(const CachedAttention&, Inputs, Specs);
size_t cached_attention_tiles_scratch(const CachedAttention&, Inputs, Specs);
void cached_attention_tiles(const CachedAttention&, Inputs, Outputs, void*);
size_t cached_attention_scratch(const CachedAttention&, Inputs, Specs);
void cached_attention_cpu(const CachedAttention&, Inputs, Outputs, void*);
static constexpr Kernel kCachedAttention[] = {
    kernel<CachedAttention, cached_attention_tiles, cached_attention_tiles_declines, nullptr,
           cached_attention_tiles_scratch>("tiles"),
    kernel<CachedAttention, cached_attention_cpu, nullptr, nullptr, cached_attention_scratch>(
        "sequences apart")};
constinit KernelSlot CachedAttention::slot{kCachedAttention};

ESPALIER_PLAIN_KERNEL(CachedPositions, cached_positions)
ESPALIER_KERNEL_WITH_SCRATCH(Cholesky, cholesky, "lapack")
ESPALIER_VECTORISED_KERNEL(ClipByNorm, clip_by_norm)
ESPALIER_VECTORISED_KERNEL(ClipByValue, clip_by_value)
ESPALIER_PLAIN_KERNEL(Concat, concat)

template <class Op>
const char* linear_row_declines(const Op&, Inputs, Specs);
template <class Op>
Prepared prepare_linear_row(const Op&, Inputs, Specs, uint32_t constants);
template <class Op>
const char* linear_small_declines(const Op&, Inputs, Specs);
template <class Op>
const char* linear_small_yields(const Op&, Inputs, Specs);
template <class Op>
Prepared prepare_linear_small(const Op&, Inputs, Specs, uint32_t constants);
template <class Op>
Prepared prepare_linear_onednn(const Op&, Inputs, Specs, uint32_t constants);

size_t fused_linear_apart_scratch(const FusedLinear&, Inputs, Specs);
void fused_linear_apart(const FusedLinear&, Inputs, Outputs, void*);
static constexpr Kernel kFusedLinear[] = {
    packing_sums(kernel<FusedLinear, fused_linear_apart, linear_row_declines<FusedLinear>,
                        prepare_linear_row<FusedLinear>, fused_linear_apart_scratch>("row")),
    packing_sums(yielding<FusedLinear, linear_small_yields<FusedLinear>>(
        kernel<FusedLinear, fused_linear_apart, linear_small_declines<FusedLinear>,
               prepare_linear_small<FusedLinear>, fused_linear_apart_scratch>("small"))),
    packing_sums(kernel<FusedLinear, fused_linear_apart, nullptr, prepare_linear_onednn<FusedLinear>,
                        fused_linear_apart_scratch>("packed or taken apart"))};
constinit KernelSlot FusedLinear::slot{kFusedLinear};

ESPALIER_PLAIN_KERNEL(Copy, copy)
ESPALIER_PLAIN_KERNEL(CopyInto, copy_into)
ESPALIER_REDUCTION_KERNEL(CountNonzero, count_nonzero)

const char* cross_entropy_declines(const CrossEntropy&, Inputs, Specs);
size_t cross_entropy_scratch(const CrossEntropy&, Inputs, Specs);
void cross_entropy_cpu(const CrossEntropy&, Inputs, Outputs, void*);
static constexpr Kernel kCrossEntropy[] = {
    kernel<CrossEntropy, cross_entropy_cpu, cross_entropy_declines, nullptr, cross_entropy_scratch>(
        "highway")};
constinit KernelSlot CrossEntropy::slot{kCrossEntropy};

const char* cross_entropy_backward_declines(const CrossEntropyBackward&, Inputs, Specs);
size_t cross_entropy_backward_scratch(const CrossEntropyBackward&, Inputs, Specs);
void cross_entropy_backward_cpu(const CrossEntropyBackward&, Inputs, Outputs, void*);
static constexpr Kernel kCrossEntropyBackward[] = {
    kernel<CrossEntropyBackward, cross_entropy_backward_cpu, cross_entropy_backward_declines, nullptr,
           cross_entropy_backward_scratch>("highway")};
constinit KernelSlot CrossEntropyBackward::slot{kCrossEntropyBackward};

ESPALIER_KERNEL_WITH_SCRATCH(CumulativeProduct, cumprod, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(CumulativeProductBackward, cumprod_backward, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(CumulativeSum, cumsum, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(Determinant, determinant, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(Dropout, dropout, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(DropoutBackward, dropout_backward, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(Eigh, eigh, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(Embedding, embedding, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(EmbeddingBackward, embedding_backward, "plain")

constinit KernelSlot Expand::slot{};

ESPALIER_PLAIN_KERNEL(Flip, flip)

void fused_elementwise(const FusedElementwise&, Inputs, Outputs);
Prepared prepare_fused_elementwise(const FusedElementwise&, Inputs, Specs, uint32_t constants);
static constexpr Kernel kFusedElementwise[] = {
    kernel<FusedElementwise, fused_elementwise, nullptr, prepare_fused_elementwise>("tiles")};
constinit KernelSlot FusedElementwise::slot{kFusedElementwise};

ESPALIER_PLAIN_KERNEL(Gather, gather)

ESPALIER_KERNEL_WITH_SCRATCH(GlobalNorm, global_norm, "highway")

ESPALIER_KERNEL_WITH_SCRATCH(GroupNorm, group_norm, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(GroupNormBackward, group_norm_backward, "highway")

const char* gru_cell_declines(const GruCell&, Inputs, Specs);
size_t gru_cell_scratch(const GruCell&, Inputs, Specs);
void gru_cell_cpu(const GruCell&, Inputs, Outputs, void*);
static constexpr Kernel kGruCell[] = {
    kernel<GruCell, gru_cell_cpu, gru_cell_declines, nullptr, gru_cell_scratch>("highway")};
constinit KernelSlot GruCell::slot{kGruCell};

const char* gru_cell_backward_declines(const GruCellBackward&, Inputs, Specs);
size_t gru_cell_backward_scratch(const GruCellBackward&, Inputs, Specs);
void gru_cell_backward_cpu(const GruCellBackward&, Inputs, Outputs, void*);
static constexpr Kernel kGruCellBackward[] = {
    kernel<GruCellBackward, gru_cell_backward_cpu, gru_cell_backward_declines, nullptr,
           gru_cell_backward_scratch>("highway")};
constinit KernelSlot GruCellBackward::slot{kGruCellBackward};

ESPALIER_LOSS_KERNEL(HingeEmbeddingLoss, hinge_embedding_loss)
ESPALIER_VECTORISED_KERNEL(HingeEmbeddingLossBackward, hinge_embedding_loss_backward)
ESPALIER_LOSS_KERNEL(HuberLoss, huber_loss)
ESPALIER_VECTORISED_KERNEL(HuberLossBackward, huber_loss_backward)
ESPALIER_KERNEL_WITH_SCRATCH(IndexAdd, index_add, "plain")
ESPALIER_PLAIN_KERNEL(IndexSelect, index_select)

ESPALIER_KERNEL_WITH_SCRATCH(Inverse, inverse, "lapack")
ESPALIER_LOSS_KERNEL(KlDiv, kl_div)
ESPALIER_VECTORISED_KERNEL(KlDivBackward, kl_div_backward)
ESPALIER_LOSS_KERNEL(L1Loss, l1_loss)
ESPALIER_VECTORISED_KERNEL(L1LossBackward, l1_loss_backward)

const char* layer_norm_declines(const LayerNorm&, Inputs, Specs);
size_t layer_norm_scratch(const LayerNorm&, Inputs, Specs);
void layer_norm_cpu(const LayerNorm&, Inputs, Outputs, void*);
static constexpr Kernel kLayerNorm[] = {
    kernel<LayerNorm, layer_norm_cpu, layer_norm_declines, nullptr, layer_norm_scratch>("rows")};
constinit KernelSlot LayerNorm::slot{kLayerNorm};

const char* layer_norm_backward_declines(const LayerNormBackward&, Inputs, Specs);
size_t layer_norm_backward_scratch(const LayerNormBackward&, Inputs, Specs);
void layer_norm_backward_cpu(const LayerNormBackward&, Inputs, Outputs, void*);
static constexpr Kernel kLayerNormBackward[] = {
    kernel<LayerNormBackward, layer_norm_backward_cpu, layer_norm_backward_declines, nullptr,
           layer_norm_backward_scratch>("rows")};
constinit KernelSlot LayerNormBackward::slot{kLayerNormBackward};

const char* linear_declines(const Linear&, Inputs, Specs);
size_t linear_scratch(const Linear&, Inputs, Specs);
void linear_cpu(const Linear&, Inputs, Outputs, void*);
const char* linear_bf16_declines(const Linear&, Inputs, Specs);
size_t linear_bf16_scratch(const Linear&, Inputs, Specs);
void linear_bf16(const Linear&, Inputs, Outputs, void*);
static constexpr Kernel kLinear[] = {
    kernel<Linear, linear_bf16, linear_bf16_declines, nullptr, linear_bf16_scratch>("bf16"),
    packing_sums(
        kernel<Linear, linear_cpu, linear_row_declines<Linear>, prepare_linear_row<Linear>, linear_scratch>(
            "row")),
    packing_sums(yielding<Linear, linear_small_yields<Linear>>(
        kernel<Linear, linear_cpu, linear_small_declines<Linear>, prepare_linear_small<Linear>,
               linear_scratch>("small"))),
    packing_sums(
        kernel<Linear, linear_cpu, linear_declines, prepare_linear_onednn<Linear>, linear_scratch>("gemm"))};
constinit KernelSlot Linear::slot{kLinear};

const char* linear_backward_declines(const LinearBackward&, Inputs, Specs);
size_t linear_backward_scratch(const LinearBackward&, Inputs, Specs);
void linear_backward_cpu(const LinearBackward&, Inputs, Outputs, void*);
const char* linear_backward_bf16_declines(const LinearBackward&, Inputs, Specs);
size_t linear_backward_bf16_scratch(const LinearBackward&, Inputs, Specs);
void linear_backward_bf16(const LinearBackward&, Inputs, Outputs, void*);
static constexpr Kernel kLinearBackward[] = {
    kernel<LinearBackward, linear_backward_bf16, linear_backward_bf16_declines, nullptr,
           linear_backward_bf16_scratch>("bf16"),
    kernel<LinearBackward, linear_backward_cpu, linear_backward_declines, nullptr, linear_backward_scratch>(
        "gemm")};
constinit KernelSlot LinearBackward::slot{kLinearBackward};

ESPALIER_VECTORISED_KERNEL(LionStep, lion_step)
ESPALIER_KERNEL_WITH_SCRATCH(LogDeterminant, log_determinant, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(LogSoftmax, log_softmax, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(LogSoftmaxBackward, log_softmax_backward, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(LogSumExp, logsumexp, "highway")

const char* lstm_cell_declines(const LstmCell&, Inputs, Specs);
size_t lstm_cell_scratch(const LstmCell&, Inputs, Specs);
void lstm_cell_cpu(const LstmCell&, Inputs, Outputs, void*);
static constexpr Kernel kLstmCell[] = {
    kernel<LstmCell, lstm_cell_cpu, lstm_cell_declines, nullptr, lstm_cell_scratch>("highway")};
constinit KernelSlot LstmCell::slot{kLstmCell};

const char* lstm_cell_backward_declines(const LstmCellBackward&, Inputs, Specs);
size_t lstm_cell_backward_scratch(const LstmCellBackward&, Inputs, Specs);
void lstm_cell_backward_cpu(const LstmCellBackward&, Inputs, Outputs, void*);
static constexpr Kernel kLstmCellBackward[] = {
    kernel<LstmCellBackward, lstm_cell_backward_cpu, lstm_cell_backward_declines, nullptr,
           lstm_cell_backward_scratch>("highway")};
constinit KernelSlot LstmCellBackward::slot{kLstmCellBackward};

const char* matmul_declines(const MatMul&, Inputs, Specs);
size_t matmul_scratch(const MatMul&, Inputs, Specs);
void matmul_cpu(const MatMul&, Inputs, Outputs, void*);
const char* matmul_integers_declines(const MatMul&, Inputs, Specs);
size_t matmul_integers_scratch(const MatMul&, Inputs, Specs);
void matmul_integers(const MatMul&, Inputs, Outputs, void*);
const char* matmul_bf16_declines(const MatMul&, Inputs, Specs);
size_t matmul_bf16_scratch(const MatMul&, Inputs, Specs);
void matmul_bf16(const MatMul&, Inputs, Outputs, void*);
static constexpr Kernel kMatMul[] = {
    kernel<MatMul, matmul_bf16, matmul_bf16_declines, nullptr, matmul_bf16_scratch>("bf16"),
    kernel<MatMul, matmul_cpu, matmul_declines, nullptr, matmul_scratch>("gemm"),
    kernel<MatMul, matmul_integers, matmul_integers_declines, nullptr, matmul_integers_scratch>("integers")};
constinit KernelSlot MatMul::slot{kMatMul};

ESPALIER_REDUCTION_KERNEL(Max, max)

const char* max_pool2d_f32_declines(const MaxPool2d&, Inputs, Specs);
void max_pool2d_f32(const MaxPool2d&, Inputs, Outputs);
void max_pool2d_cpu(const MaxPool2d&, Inputs, Outputs);
static constexpr Kernel kMaxPool2d[] = {kernel<MaxPool2d, max_pool2d_f32, max_pool2d_f32_declines>("highway"),
                                        kernel<MaxPool2d, max_pool2d_cpu>("planes")};
constinit KernelSlot MaxPool2d::slot{kMaxPool2d};

const char* max_pool2d_backward_f32_declines(const MaxPool2dBackward&, Inputs, Specs);
size_t max_pool2d_backward_f32_scratch(const MaxPool2dBackward&, Inputs, Specs);
void max_pool2d_backward_f32(const MaxPool2dBackward&, Inputs, Outputs, void*);
size_t max_pool2d_backward_scratch(const MaxPool2dBackward&, Inputs, Specs);
void max_pool2d_backward_cpu(const MaxPool2dBackward&, Inputs, Outputs, void*);
static constexpr Kernel kMaxPool2dBackward[] = {
    kernel<MaxPool2dBackward, max_pool2d_backward_f32, max_pool2d_backward_f32_declines, nullptr,
           max_pool2d_backward_f32_scratch>("channels-last"),
    kernel<MaxPool2dBackward, max_pool2d_backward_cpu, nullptr, nullptr, max_pool2d_backward_scratch>(
        "planes")};
constinit KernelSlot MaxPool2dBackward::slot{kMaxPool2dBackward};

ESPALIER_PLAIN_KERNEL(MaxPool2dTake, max_pool2d_take)
ESPALIER_VECTORISED_KERNEL(MaxWithIndices, max_with_indices)

void mean_cpu(const Mean&, Inputs, Outputs, void*);
void mean_reference(const Mean&, Inputs, Outputs);
static constexpr Kernel kMean[] = {kernel<Mean, mean_cpu, nullptr, nullptr, scratch_of_reduction>("highway"),
                                   reference(kernel<Mean, mean_reference>("reference"))};
constinit KernelSlot Mean::slot{kMean};

ESPALIER_REDUCTION_KERNEL(Min, min)
ESPALIER_VECTORISED_KERNEL(MinWithIndices, min_with_indices)
ESPALIER_LOSS_KERNEL(MseLoss, mse_loss)
ESPALIER_VECTORISED_KERNEL(MseLossBackward, mse_loss_backward)

ESPALIER_KERNEL_WITH_SCRATCH(NllLoss, nll_loss, "plain")

ESPALIER_KERNEL_WITH_SCRATCH(NllLossBackward, nll_loss_backward, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(Normal, normal, "highway")

const char* one_hot_declines(const OneHot&, Inputs, Specs);
void one_hot_cpu(const OneHot&, Inputs, Outputs);
static constexpr Kernel kOneHot[] = {kernel<OneHot, one_hot_cpu, one_hot_declines>("rows")};
constinit KernelSlot OneHot::slot{kOneHot};

ESPALIER_PLAIN_KERNEL(Pad, pad)

constinit KernelSlot Permute::slot{};

ESPALIER_VECTORISED_KERNEL(Power, power)
ESPALIER_VECTORISED_KERNEL(PowerBackward, power_backward)
ESPALIER_REDUCTION_KERNEL(Product, product)
ESPALIER_KERNEL_WITH_SCRATCH(ProductBackward, product_backward, "highway")
ESPALIER_PLAIN_KERNEL(PutAlongAxis, put_along_axis)
ESPALIER_KERNEL_WITH_SCRATCH(Qr, qr, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(RandomIntegers, random_integers, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(RandomPermutation, random_permutation, "plain")

constinit KernelSlot Reshape::slot{};

ESPALIER_KERNEL_WITH_SCRATCH(RmsNorm, rms_norm, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(RmsNormBackward, rms_norm_backward, "highway")
ESPALIER_VECTORISED_KERNEL(RmspropStep, rmsprop_step)

ESPALIER_KERNEL_WITH_SCRATCH(SampleToken, sample_token, "highway")

ESPALIER_PLAIN_KERNEL(Scatter, scatter)
ESPALIER_KERNEL_WITH_SCRATCH(ScatterAdd, scatter_add, "plain")
ESPALIER_VECTORISED_KERNEL(SgdStep, sgd_step)

constinit KernelSlot Slice::slot{};

ESPALIER_LOSS_KERNEL(SmoothL1Loss, smooth_l1_loss)
ESPALIER_VECTORISED_KERNEL(SmoothL1LossBackward, smooth_l1_loss_backward)
ESPALIER_KERNEL_WITH_SCRATCH(Softmax, softmax, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(SoftmaxBackward, softmax_backward, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(Solve, solve, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(Sort, sort, "plain")

constinit KernelSlot Split::slot{};

ESPALIER_KERNEL_WITH_SCRATCH(StandardDeviation, standard_deviation, "highway")

void sum_cpu(const Sum&, Inputs, Outputs, void*);
void sum_reference(const Sum&, Inputs, Outputs);
static constexpr Kernel kSum[] = {kernel<Sum, sum_cpu, nullptr, nullptr, scratch_of_reduction>("highway"),
                                  reference(kernel<Sum, sum_reference>("reference"))};
constinit KernelSlot Sum::slot{kSum};

ESPALIER_KERNEL_WITH_SCRATCH(Svd, svd, "lapack")
ESPALIER_PLAIN_KERNEL(TakeAlongAxis, take_along_axis)
ESPALIER_KERNEL_WITH_SCRATCH(TopK, topk, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(TriangularSolve, triangular_solve, "lapack")
ESPALIER_KERNEL_WITH_SCRATCH(Tril, tril, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(Triu, triu, "plain")
ESPALIER_KERNEL_WITH_SCRATCH(Uniform, uniform, "highway")
ESPALIER_KERNEL_WITH_SCRATCH(Variance, variance, "highway")
ESPALIER_REDUCTION_KERNEL(VectorNorm, vector_norm)

}  // namespace espalier
