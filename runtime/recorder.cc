#include <algorithm>
#include <string>
#include <utility>

#include "autograd/checkpoint.h"
#include "core/error.h"
#include "ops/copy.h"
#include "runtime/recorder_internal.h"
#include "runtime/write_view_internal.h"

namespace espalier::runtime {
namespace {

bool on_meta(const Tensor& tensor) {
  return tensor.defined() && tensor.device() == kMeta;
}

bool any_on_meta(Inputs inputs) {
  return std::any_of(inputs.begin(), inputs.end(), on_meta);
}

const Storage* storage_of(const Tensor& tensor) {
  return tensor.body().storage.get();
}

/// Whether both handles denote the same elements.
bool same_look(const Tensor& a, const Tensor& b) {
  return storage_of(a) == storage_of(b) && a.offset() == b.offset() && a.dtype() == b.dtype() &&
         a.shape() == b.shape() && a.strides() == b.strides();
}

}  // namespace

OnMeta::OnMeta(std::span<const Tensor> tensors) {
  for (const Tensor& tensor : tensors) {
    Ref<Storage>& storage = tensor.body().storage;
    if (storage->device() == kMeta) continue;  // met before under another name
    Ref<Storage>& stand_in = storages_[storage.get()];
    if (!stand_in) stand_in = make_ref<Storage>(storage->bytes(), kMeta);
    moved_.push_back({tensor, storage});
    storage = stand_in;
  }
}

OnMeta::~OnMeta() {
  for (const Moved& moved : moved_) moved.tensor.body().storage = moved.original;
}

Ref<Storage> OnMeta::on_meta(const Storage* original) const {
  const auto found = storages_.find(original);
  return found == storages_.end() ? Ref<Storage>() : found->second;
}

void Recorder::know(const Tensor& tensor, ValueId value, bool lent) {
  Memory& memory = memories_[storage_of(tensor)];
  if (!memory.looks.empty()) {
    throw ValueError("capture", graph_.name_of(value) + " shares memory with " +
                                    graph_.name_of(memory.looks[0].value) +
                                    " but is another tensor; give one of them only");
  }
  memory.lent = lent;
  memory.looks.push_back(
      {.tensor = tensor.detach(), .value = value, .changes = 0, .view = nullptr, .inputs = {}});
}

Recorder::Look* Recorder::find(Memory& memory, const Tensor& tensor) {
  const auto found = std::find_if(memory.looks.begin(), memory.looks.end(),
                                  [&](const Look& look) { return same_look(look.tensor, tensor); });
  return found == memory.looks.end() ? nullptr : &*found;
}

/// Looks again where the storage was changed through another view since.
void Recorder::refresh(Memory& memory, size_t look) {
  Look& stale = memory.looks[look];
  if (stale.changes == memory.changes) return;
  refresh(memory, stale.source_look);  // never of the whole, which every change keeps fresh
  stale.inputs[stale.source] = memory.looks[stale.source_look].value;
  stale.value = graph_.add(stale.view, stale.inputs)[0];
  stale.changes = memory.changes;
}

ValueId Recorder::value_of(const Tensor& tensor, std::string_view reader) {
  if (!tensor.defined()) return kAbsent;
  const auto found = memories_.find(storage_of(tensor));
  if (found == memories_.end()) {
    // Made on meta without values: what reads it before it is written reads anything, so zeros will do.
    const Tensor block = zeros({tensor.numel()}, tensor.dtype());
    const bool dense = is_dense(tensor.shape(), tensor.strides());
    know(tensor, graph_.add_constant(block.with_layout(
                     tensor.shape(), dense ? tensor.strides() : contiguous_strides(tensor.shape()), 0)));
    return memories_[storage_of(tensor)].looks[0].value;
  }
  Memory& memory = found->second;
  const Look* look = find(memory, tensor);
  if (!look) {
    throw ValueError(reader, "it reads " + describe(tensor) + ", a view of " +
                                 graph_.name_of(memory.looks[0].value) +
                                 " that was not made by an operation during the capture; make it there");
  }
  refresh(memory, static_cast<size_t>(look - memory.looks.data()));
  return look->value;
}

ValueId Recorder::result(const Tensor& tensor) {
  return value_of(tensor.device() == kMeta ? tensor : adopted("capture", tensor), "capture");
}

bool Recorder::adopt(const Operation& operation, Inputs inputs, Tensors& all) {
  const auto foreign = [](const Tensor& input) { return input.defined() && input.device() != kMeta; };
  if (!any_on_meta(inputs) || std::none_of(inputs.begin(), inputs.end(), foreign)) return false;
  for (const Tensor& input : inputs) all.push_back(foreign(input) ? adopted(operation.name(), input) : input);
  return true;
}

Tensor Recorder::adopted(std::string_view reader, const Tensor& tensor) {
  if (tensor.requires_grad()) {
    throw GradientError(reader, "it reads " + describe(tensor) +
                                    ", which requires a gradient but is not in the state that was "
                                    "given to capture; add the model that it belongs to");
  }
  if (const Ref<Storage> state = state_.on_meta(storage_of(tensor)))  // a handle from before the capture
    return Tensor(
        make_ref<TensorBody>(state, tensor.dtype(), tensor.shape(), tensor.strides(), tensor.offset()));
  for (const Constant& known : constants_) {
    if (same_look(known.met, tensor) && known.version == tensor.version()) return known.stand_in;
  }
  const Tensor kept = copy(tensor.detach());
  const ValueId value = graph_.add_constant(kept);
  const Tensor stand_in = graph_.value(value).type;
  know(stand_in, value, true);
  constants_.push_back({tensor, tensor.version(), stand_in});
  return stand_in;
}

void Recorder::before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) {
  const bool recorded = any_on_meta(inputs);
  if (recorded) specs_.assign(specs.begin(), specs.end());
  if (!recorded && depth_++ > 0) return;
  for (const OutputSpec& spec : specs) {
    if (spec.kind != OutputSpec::Kind::update) continue;
    const Tensor& target = inputs[static_cast<size_t>(spec.source)];
    const auto memory = memories_.find(storage_of(target));
    const bool own = recorded ? memory == memories_.end() || !memory->second.lent
                              : std::any_of(made_here_.begin(), made_here_.end(), [&](const Tensor& made) {
                                  return storage_of(made) == storage_of(target);
                                });
    if (own) continue;
    throw ValueError(operation.name(),
                     "it changes " + describe(target) +
                         " in place, which is not in the state that was given to capture; add it there");
  }
}

void Recorder::after(const Operation& operation, Inputs inputs, Outputs outputs) {
  if (!any_on_meta(inputs)) {
    if (--depth_ == 0) made_here_.insert(made_here_.end(), outputs.begin(), outputs.end());
    return;
  }
  std::vector<ValueId> ids;
  for (const Tensor& input : inputs) ids.push_back(value_of(input, operation.name()));
  for (const OutputSpec& spec : specs_) {  // so that what is updated through a view has an up-to-date whole
    if (spec.kind == OutputSpec::Kind::update)
      value_of(memories_[storage_of(inputs[static_cast<size_t>(spec.source)])].looks[0].tensor,
               operation.name());
  }
  const ValueIds made =
      graph_.add(std::shared_ptr<const Operation>(operation.clone()), ids, {.again = recomputing()});
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto source = static_cast<size_t>(specs_[i].source);
    switch (specs_[i].kind) {
      case OutputSpec::Kind::fresh:
        know(outputs[i], made[i]);
        break;
      case OutputSpec::Kind::view:
        note_view(operation, outputs[i], made[i], ids, inputs[source], source);
        break;
      case OutputSpec::Kind::update:
        note_update(outputs[i], made[i]);
        break;
    }
  }
}

void Recorder::note_view(const Operation& operation, const Tensor& output, ValueId value,
                         std::span<const ValueId> inputs, const Tensor& source_tensor, size_t source) {
  Memory& memory = memories_[storage_of(output)];
  if (find(memory, output)) return;  // the same elements under another name: what is known of them stays
  const auto source_look = static_cast<size_t>(find(memory, source_tensor) - memory.looks.data());
  memory.looks.push_back({.tensor = output.detach(),
                          .value = value,
                          .changes = memory.changes,
                          .view = std::shared_ptr<const Operation>(operation.clone()),
                          .inputs = {inputs.begin(), inputs.end()},
                          .source = source,
                          .source_look = source_look});
}

void Recorder::note_update(const Tensor& output, ValueId value) {
  Memory& memory = memories_[storage_of(output)];
  Look& changed = *find(memory, output);
  Look& whole = memory.looks[0];
  ++memory.changes;
  changed.value = value;
  changed.changes = memory.changes;
  if (&changed == &whole) return;
  whole.value = graph_.add(WriteView(output), std::vector<ValueId>{whole.value, value})[0];
  whole.changes = memory.changes;
}

}  // namespace espalier::runtime
