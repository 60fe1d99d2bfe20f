#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace espalier::nn {

class Visitor;

/// A layer or model: a plain struct whose `visit` names its parameters, buffers and children. There is no
/// base class: anything that is callable on tensors can be trained, and what has a `visit` can be listed,
/// saved, loaded, copied and summarised.
///
///   struct Mlp {
///     nn::Linear hidden{784, 100}, out{100, 10};
///     Tensor operator()(const Tensor& x) const { return out(relu(hidden(x))); }
///     void visit(nn::Visitor& v) { v("hidden", hidden); v("out", out); }
///   };
template <class M>
concept Visitable = requires(M& model, Visitor& visitor) { model.visit(visitor); };

/// Walks a model's tensors. What it does with them is up to the derived class; names arrive dotted, as
/// PyTorch writes them: `layers.0.weight`.
class ESPALIER_API Visitor {
 public:
  enum class Kind : uint8_t {
    parameter,  ///< what an optimiser changes
    buffer,     ///< saved and loaded, but not trained: running statistics
  };

  virtual ~Visitor();

  /// A parameter; an undefined one (a layer without bias) is passed over.
  void operator()(std::string_view name, Tensor& parameter) { tensor(name, parameter, Kind::parameter); }
  void buffer(std::string_view name, Tensor& buffer) { tensor(name, buffer, Kind::buffer); }
  /// A name that files made by others hold and this layer has no use for: nn::load_state passes over it.
  void unused(std::string_view name) { on_unused(path_ + std::string(name)); }
  /// A switch between training and evaluation.
  void training(bool& flag) { on_mode(flag); }

  /// A child, under `name`.
  template <Visitable M>
  void operator()(std::string_view name, M& child) {
    const Prefix prefix(*this, name);
    child.visit(*this);
  }
  template <Visitable M>
  void operator()(std::string_view name, std::optional<M>& child) {
    if (child) (*this)(name, *child);
  }
  /// Children by their place: `name.0`, `name.1`, ...
  template <Visitable M>
  void operator()(std::string_view name, std::vector<M>& children) {
    const Prefix prefix(*this, name);
    for (size_t i = 0; i < children.size(); ++i) (*this)(std::to_string(i), children[i]);
  }

 protected:
  virtual void on_tensor(const std::string& name, Tensor& tensor, Kind kind) = 0;
  virtual void on_unused(const std::string& name);
  virtual void on_mode(bool& flag);

 private:
  /// Puts `name.` before every name for as long as it lives.
  class Prefix {
   public:
    Prefix(Visitor& visitor, std::string_view name) : path_(visitor.path_), length_(path_.size()) {
      path_.append(name).push_back('.');
    }
    ~Prefix() { path_.resize(length_); }
    Prefix(const Prefix&) = delete;
    Prefix& operator=(const Prefix&) = delete;

   private:
    std::string& path_;
    size_t length_;
  };

  void tensor(std::string_view name, Tensor& tensor, Kind kind);

  std::string path_;
};

}  // namespace espalier::nn
