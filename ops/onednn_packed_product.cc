// Products with weights in whatever format the library likes best: what inference runs. Measured at the top
// of onednn_gemm.cc is what plain formats give.

#include <string>
#include <utility>

#include "core/error.h"
#include "ops/onednn_compat_internal.h"
#include "ops/onednn_internal.h"
#include "ops/onednn_runtime_internal.h"

namespace espalier::onednn {

struct PackedProductPlan {
  int threads = 1;
  size_t packed_bytes = 0, scratch_bytes = 0, packing_scratch_bytes = 0;
  std::unique_ptr<const Primitive> product;  // of A, W, bias, C and scratch
  std::unique_ptr<const Primitive> packing;  // from plain, to packed, and scratch
};

namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;

constexpr auto kF32 = dnnl::memory::data_type::f32;

void append_activation(dnnl::post_ops& extras, Activation activation) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::relu:
      return compat::append(extras, dnnl::algorithm::eltwise_relu);
    case Activation::gelu_tanh:
      return compat::append(extras, dnnl::algorithm::eltwise_gelu_tanh);
    case Activation::gelu_erf:
      return compat::append(extras, dnnl::algorithm::eltwise_gelu_erf);
  }
}

}  // namespace

std::unique_ptr<const PackedProduct> PackedProduct::make(const ProductProblem& p) {
  const TeamScope team;
  auto plan = std::make_unique<PackedProductPlan>();
  plan->threads = team.threads();
  const Desc a({p.m, p.k}, kF32, Tag::ab), plain({p.k, p.n}, kF32, Tag::ba), c({p.m, p.n}, kF32, Tag::ab);
  const Desc bias = p.bias ? Desc({1, p.n}, kF32, Tag::ab) : Desc();
  dnnl::post_ops extras;
  if (p.accumulate) extras.append_sum(1.0f);
  append_activation(extras, p.activation);
  dnnl::primitive_attr attributes = user_scratch();
  attributes.set_post_ops(extras);
  try {
    const auto described = compat::matmul(engine(), a, Desc({p.k, p.n}, kF32, Tag::any),
                                          p.bias ? &bias : nullptr, c, attributes);
    const Desc packed = described.weights_desc(), scratch = described.scratchpad_desc();
    plan->packed_bytes = packed.get_size();
    plan->scratch_bytes = scratch.get_size();
    plan->product = Primitive::make(dnnl::matmul(described),
                                    {{DNNL_ARG_SRC, a},
                                     {DNNL_ARG_WEIGHTS, packed},
                                     {DNNL_ARG_BIAS, bias},
                                     {DNNL_ARG_DST, c},
                                     {DNNL_ARG_SCRATCHPAD, scratch}},
                                    "linear");
    const dnnl::reorder::primitive_desc packing(engine(), plain, engine(), packed, user_scratch());
    const Desc packing_scratch = packing.scratchpad_desc();
    plan->packing_scratch_bytes = packing_scratch.get_size();
    plan->packing = Primitive::make(
        dnnl::reorder(packing),
        {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, packed}, {DNNL_ARG_SCRATCHPAD, packing_scratch}}, "linear");
  } catch (const dnnl::error& e) {
    check(e.status, "linear");
  }
  return std::unique_ptr<const PackedProduct>(new PackedProduct(std::move(plan)));
}

PackedProduct::PackedProduct(std::unique_ptr<const PackedProductPlan> plan) : plan_(std::move(plan)) {}
PackedProduct::~PackedProduct() = default;

size_t PackedProduct::packed_bytes() const {
  return plan_->packed_bytes;
}
size_t PackedProduct::scratch_bytes() const {
  return plan_->scratch_bytes;
}

void PackedProduct::pack(const void* w, void* packed) const {
  const TeamScope team(plan_->threads);
  const Scratch scratch(plan_->packing_scratch_bytes);
  plan_->packing->run({w, packed, scratch.get()});
}

void PackedProduct::run(const void* a, const void* packed, const void* bias, void* c, void* scratch) const {
  const TeamScope team(plan_->threads);
  plan_->product->run({a, packed, bias, c, scratch});
}

}  // namespace espalier::onednn
