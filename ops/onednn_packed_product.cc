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
  dnnl::memory::desc a, plain, packed, bias, c, scratch, packing_scratch;
  dnnl::matmul primitive;
  dnnl::reorder packing;
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
  plan->a = Desc({p.m, p.k}, kF32, Tag::ab);
  plan->plain = Desc({p.k, p.n}, kF32, Tag::ba);
  if (p.bias) plan->bias = Desc({1, p.n}, kF32, Tag::ab);
  plan->c = Desc({p.m, p.n}, kF32, Tag::ab);
  dnnl::post_ops extras;
  if (p.accumulate) extras.append_sum(1.0f);
  append_activation(extras, p.activation);
  dnnl::primitive_attr attributes = user_scratch();
  attributes.set_post_ops(extras);
  try {
    const auto described = compat::matmul(engine(), plan->a, Desc({p.k, p.n}, kF32, Tag::any),
                                          p.bias ? &plan->bias : nullptr, plan->c, attributes);
    plan->packed = described.weights_desc();
    plan->scratch = described.scratchpad_desc();
    plan->primitive = dnnl::matmul(described);
    const dnnl::reorder::primitive_desc packing(engine(), plan->plain, engine(), plan->packed,
                                                user_scratch());
    plan->packing = dnnl::reorder(packing);
    plan->packing_scratch = packing.scratchpad_desc();
  } catch (const dnnl::error& e) {
    check(e.status, "linear");
  }
  return std::unique_ptr<const PackedProduct>(new PackedProduct(std::move(plan)));
}

PackedProduct::PackedProduct(std::unique_ptr<const PackedProductPlan> plan) : plan_(std::move(plan)) {}
PackedProduct::~PackedProduct() = default;

size_t PackedProduct::packed_bytes() const {
  return plan_->packed.get_size();
}
size_t PackedProduct::scratch_bytes() const {
  return plan_->scratch.get_size();
}

void PackedProduct::pack(const void* w, void* packed) const {
  const TeamScope team(plan_->threads);
  const Scratch scratch(plan_->packing_scratch.get_size());
  execute(plan_->packing,
          {{DNNL_ARG_FROM, &plan_->plain, w},
           {DNNL_ARG_TO, &plan_->packed, packed},
           {DNNL_ARG_SCRATCHPAD, &plan_->packing_scratch, scratch.get()}},
          "linear");
}

void PackedProduct::run(const void* a, const void* packed, const void* bias, void* c, void* scratch) const {
  const TeamScope team(plan_->threads);
  execute(plan_->primitive,
          {{DNNL_ARG_SRC, &plan_->a, a},
           {DNNL_ARG_WEIGHTS, &plan_->packed, packed},
           {DNNL_ARG_BIAS, &plan_->bias, bias},
           {DNNL_ARG_DST, &plan_->c, c},
           {DNNL_ARG_SCRATCHPAD, &plan_->scratch, scratch}},
          "linear");
}

}  // namespace espalier::onednn
