#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "nn/visit.h"

namespace espalier::nn {

/// Anything that takes a tensor and gives one: a layer, a function such as relu, a lambda. Copying it copies
/// the layer, whose tensors stay shared.
class ESPALIER_API AnyLayer {
 public:
  template <class L>
    requires(!std::is_same_v<std::decay_t<L>, AnyLayer> &&
             std::is_invocable_r_v<Tensor, const std::decay_t<L>&, const Tensor&>)
  AnyLayer(L&& layer)  // NOLINT(google-explicit-constructor)
      : layer_(std::make_unique<Holder<std::decay_t<L>>>(std::forward<L>(layer))) {}
  AnyLayer(const AnyLayer& other) : layer_(other.layer_->copy()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  AnyLayer& operator=(AnyLayer other) noexcept {
    layer_ = std::move(other.layer_);
    return *this;
  }

  Tensor operator()(const Tensor& x) const { return layer_->forward(x); }
  /// Visits the layer's tensors; a function has none.
  void visit(Visitor& visitor) { layer_->visit(visitor); }
  /// The layer where it is an L, else null.
  template <class L>
  const L* as() const {
    const auto* const holder = dynamic_cast<const Holder<L>*>(layer_.get());
    return holder ? &holder->held : nullptr;
  }

 private:
  struct Layer {
    virtual ~Layer() = default;
    virtual Tensor forward(const Tensor& x) const = 0;
    virtual void visit(Visitor& visitor) = 0;
    virtual std::unique_ptr<Layer> copy() const = 0;
  };

  template <class L>
  struct Holder final : Layer {
    explicit Holder(L layer) : held(std::move(layer)) {}
    Tensor forward(const Tensor& x) const override { return held(x); }
    void visit(Visitor& visitor) override {
      if constexpr (Visitable<L>) held.visit(visitor);
    }
    std::unique_ptr<Layer> copy() const override { return std::make_unique<Holder>(held); }
    L held;
  };

  std::unique_ptr<Layer> layer_;
};

/// Layers one after the other; each is named by its place, functions count: `0.weight`, `2.weight`.
///
///   nn::Sequential net(nn::Linear(784, 100), relu, nn::Linear(100, 10));
class ESPALIER_API Sequential {
 public:
  template <class... L>
    requires(sizeof...(L) > 1 || (sizeof...(L) == 1 && !(std::is_same_v<std::decay_t<L>, Sequential> && ...)))
  explicit Sequential(L&&... layers) {
    layers_.reserve(sizeof...(L));
    (layers_.emplace_back(std::forward<L>(layers)), ...);
  }
  Sequential() = default;

  void append(AnyLayer layer) { layers_.push_back(std::move(layer)); }
  size_t size() const noexcept { return layers_.size(); }

  Tensor operator()(const Tensor& x) const {
    Tensor y = x;
    for (const AnyLayer& layer : layers_) y = layer(y);
    return y;
  }
  void visit(Visitor& visitor) {
    for (size_t i = 0; i < layers_.size(); ++i) visitor(std::to_string(i), layers_[i]);
  }

 private:
  std::vector<AnyLayer> layers_;
};

}  // namespace espalier::nn
