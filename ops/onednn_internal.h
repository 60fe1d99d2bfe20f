#pragma once

// The one way from Espalier's CPU kernels to oneDNN: matrix products and 2-d convolutions of f32 and bf16 on
// raw pointers. oneDNN's own headers stay in the ops/onednn_*.cc files; nothing here depends on its version
// (2.6 and 3.x are served).
//
// Everything here may be called from any thread at the same time. The library uses espalier::num_threads()
// threads, one when called from inside a parallel region. Primitives (compiled code for one problem) are kept
// in a bounded cache, so the first call for a problem takes milliseconds and later ones well under a
// microsecond more than the work itself. What the library refuses becomes a DeviceError with its reason.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/float_types.h"
#include "ops/activation.h"
#include "ops/small_gemm_internal.h"

namespace espalier::onednn {

/// C = A B with the extras of Gemm. A and B each need a unit stride along rows or columns and rows (columns)
/// that do not overlap; ShapeError otherwise. Products that small_gemm does faster go there. `scratch`,
/// aligned to 64, has gemm_scratch_bytes().
void gemm(const Gemm& p, void* scratch);
/// For a product of p's sizes and strides, wherever its operands will lie; `bias` says whether it has one.
size_t gemm_scratch_bytes(const Gemm& p, bool bias);

/// `batch` products whose operands A, B and C lie the given numbers of elements apart (0: shared; C's must
/// not overlap), in parallel over the batch where there are enough of them. `scratch`, aligned to 64, has
/// batched_gemm_scratch_bytes().
void batched_gemm(const Gemm& first, int64_t batch, const std::array<int64_t, 3>& steps, void* scratch);
size_t batched_gemm_scratch_bytes(const Gemm& first, int64_t batch);

/// Whether the CPU has its own instructions for bf16 (AVX-512 BF16) and the cap of ESPALIER_CPU allows them.
bool has_bf16();
/// The same products of bf16 matrices in those instructions, accumulated in f32 and rounded once; the bias is
/// bf16, too.
void gemm(const GemmOf<bfloat16>& p, void* scratch);
size_t gemm_scratch_bytes(const GemmOf<bfloat16>& p, bool bias);
void batched_gemm(const GemmOf<bfloat16>& first, int64_t batch, const std::array<int64_t, 3>& steps,
                  void* scratch);
size_t batched_gemm_scratch_bytes(const GemmOf<bfloat16>& first, int64_t batch);

/// C = activation(A W^T + bias + what C held, where asked for), of row-major f32 A [m, k], W [n, k], C [m,
/// n].
struct ProductProblem {
  int64_t m = 0, n = 0, k = 0;
  bool bias = false, accumulate = false;
  Activation activation = Activation::none;
};

struct PackedProductPlan;

/// A product whose W many runs share. Immutable: any number of threads may run one object at once, each with
/// its own buffers. It belongs to the number of threads set when it was made.
class PackedProduct {
 public:
  /// Throws DeviceError where the library declines.
  static std::unique_ptr<const PackedProduct> make(const ProductProblem& problem);
  ~PackedProduct();

  size_t packed_bytes() const;
  size_t scratch_bytes() const;
  /// `packed` and `scratch` are aligned to 64.
  void pack(const void* w, void* packed) const;
  void run(const void* a, const void* packed, const void* bias, void* c, void* scratch) const;

 private:
  explicit PackedProduct(std::unique_ptr<const PackedProductPlan> plan);
  std::unique_ptr<const PackedProductPlan> plan_;
};

/// Memory order of dense activations [N, C, H, W].
enum class Layout : int32_t {
  kChannelsLast,   // N, H, W, C in memory: what convolutions compute in
  kChannelsFirst,  // N, C, H, W in memory: costs a copy
};

enum class ConvDirection : int32_t { kForward, kBackwardData, kBackwardWeights };

/// How a convolution is computed; kAuto chooses by measured rules (see onednn_conv_choice.cc).
enum class ConvMethod : int32_t {
  kAuto,
  kChannelsLast,  // directly on channels-last activations
  kBlocked,       // direct, activations copied to blocks of 16 channels and back
  kAny,           // whatever the library offers, its reference code at worst
};

/// A 2-d convolution (as in PyTorch: a cross-correlation), dense activations, weights [O, C / groups, KH, KW]
/// dense in that order.
struct ConvProblem {
  ConvDirection direction = ConvDirection::kForward;
  ConvMethod method = ConvMethod::kAuto;
  Layout input_layout = Layout::kChannelsLast;
  Layout output_layout = Layout::kChannelsLast;
  int64_t batch = 0, in_channels = 0, out_channels = 0, groups = 1;
  std::array<int64_t, 2> input{}, kernel{};             // height, width
  std::array<int64_t, 2> stride{1, 1}, dilation{1, 1};  // dilation 1: none
  std::array<int64_t, 2> pad_before{}, pad_after{};     // zeros at the top and left, at the bottom and right
  bool bias = false;        // forward: added; backward weights: its gradient wanted
  bool relu = false;        // forward: max(0, x) at the end
  bool accumulate = false;  // forward: added to what the output holds; backward weights: to the gradients.
                            // Not for backward data.
  bool inference = false;   // forward: the library may choose code that keeps nothing for a backward
  bool narrow = false;      // bf16 instead of f32, accumulated in f32; where has_bf16()

  std::array<int64_t, 2> output() const;  ///< height, width

  friend bool operator==(const ConvProblem&, const ConvProblem&) = default;
};

struct ConvPlan;

/// A convolution ready to run. Immutable: any number of threads may run one object at once, each with its own
/// buffers.
class Convolution {
 public:
  /// From the cache, or made now. Throws DeviceError where the library declines and ShapeError for sizes that
  /// cannot be. Belongs to the number of threads set at this moment: get it anew after that changes.
  static std::shared_ptr<const Convolution> get(const ConvProblem& problem);
  ~Convolution();
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;

  /// Bytes that every run needs for itself. `scratch`, aligned to 64, has at least as many.
  size_t scratch_bytes() const;

  /// Elements are of the problem's type; `bias` is null unless the problem has one.
  void forward(const void* input, const void* weights, const void* bias, void* output, void* scratch) const;
  void backward_data(const void* grad_output, const void* weights, void* grad_input, void* scratch) const;
  void backward_weights(const void* input, const void* grad_output, void* grad_weights, void* grad_bias,
                        void* scratch) const;

  /// For weights that many runs share: pack once (packed_bytes(), aligned to 64), then forward_packed.
  size_t packed_bytes() const;
  void pack(const void* weights, void* packed) const;
  void forward_packed(const void* input, const void* packed, const void* bias, void* output,
                      void* scratch) const;

  /// The library's name for its code, with the method: `channels-last brgconv:avx512_core`.
  const std::string& implementation() const;

 private:
  explicit Convolution(std::unique_ptr<const ConvPlan> plan);
  std::unique_ptr<const ConvPlan> plan_;
};

/// `2.6.3`: of the library that is loaded.
std::string version();

}  // namespace espalier::onednn
