#include "nn/visit.h"

namespace espalier::nn {

Visitor::~Visitor() = default;
void Visitor::on_unused(const std::string&) {}
void Visitor::on_mode(bool&) {}

void Visitor::tensor(std::string_view name, Tensor& tensor, Kind kind) {
  if (tensor.defined()) on_tensor(path_ + std::string(name), tensor, kind);
}

}  // namespace espalier::nn
