#include "core/door.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "core/profiler.h"
#include "core/workspace.h"

namespace espalier {

Listener::~Listener() = default;
bool Listener::adopt(const Operation&, Inputs, Tensors&) {
  return false;
}
void Listener::before(const Operation&, Inputs, std::span<const OutputSpec>) {}

namespace {

constexpr uint32_t bit(ListenerSlot slot) {
  return 1u << static_cast<uint32_t>(slot);
}

/// A set bit in `word` says that a slot listens. The tape's does from the start; while its pointer is null,
/// the installed tape is meant.
struct ThreadListeners {
  uint32_t word = bit(ListenerSlot::tape);
  std::array<Listener*, kListenerSlotCount> slots{};
};
constinit thread_local ThreadListeners listeners;

/// The bit of `word` that says that inputs are to be converted.
constexpr uint32_t kAutocast = 1u << kListenerSlotCount;

struct ThreadAutocast {
  Dtype narrow = Dtype::bf16;
  AutocastScope::Convert convert = nullptr;
};
constinit thread_local ThreadAutocast autocast;
constinit std::atomic<Listener*> installed_tape{nullptr};

/// The device of all inputs. Refuses inputs on several devices, and absent ones unless they are optional.
Device common_device(const Operation& operation, Inputs inputs) {
  const Tensor* first = nullptr;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      if (!operation.is_optional(i)) check_defined(operation.name(), inputs);
    } else if (!first) {
      first = &inputs[i];
    } else if (inputs[i].device() != first->device()) {
      throw DeviceError(operation.name(),
                        "inputs are on several devices: " + describe(inputs) + "; copy them to one");
    }
  }
  return first ? first->device() : kCpu;
}

bool any_requires_grad(Inputs inputs) noexcept {
  for (const Tensor& input : inputs) {
    if (input.requires_grad()) return true;
  }
  return false;
}

/// Makes the outputs; returns whether any of them needs a kernel (views do not).
bool make_outputs(const Operation& operation, Inputs inputs, const OutputSpecs& specs, Device device,
                  Tensors& outputs) {
  bool computes = false;
  outputs.resize(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    outputs[i] = make_output(specs[i], inputs, device);
    computes |= specs[i].kind != OutputSpec::Kind::view;
    if (specs[i].kind == OutputSpec::Kind::update)
      outputs[i].body().storage->bump_version(operation.name().data());
  }
  return computes;
}

[[noreturn]] void no_kernel(const Operation& operation, Inputs inputs, Device device,
                            std::span<const Kernel> kernels, std::span<const Tensor> outputs) {
  if (kernels.empty()) {
    throw DeviceError(operation.name(),
                      "has no kernel for " + to_string(device) + " (inputs " + describe(inputs) + ")");
  }
  std::string reasons;
  for (const Kernel& kernel : kernels) {
    reasons += std::string(reasons.empty() ? "" : "; ") + kernel.name + ": " +
               kernel.decline(operation, inputs, outputs);
  }
  throw TypeError(operation.name(), "no kernel takes inputs " + describe(inputs) + " (" + reasons + ")");
}

void log_choice(const Operation& operation, Inputs inputs, const Kernel& chosen, std::string_view reasons) {
  log_message(LogTopic::dispatch, std::string(operation.name()) + "(" + describe(inputs) + ") -> " +
                                      chosen.name + std::string(reasons));
}

template <class Tell>
void tell(uint32_t hearing, Tell&& tell_one) {
  for (size_t i = 0; i < listeners.slots.size(); ++i) {
    if (!(hearing & (1u << i))) continue;
    Listener* listener = listeners.slots[i];
    if (!listener && i == static_cast<size_t>(ListenerSlot::tape))
      listener = installed_tape.load(std::memory_order_acquire);
    if (listener) tell_one(*listener);
  }
}

bool is_narrow(const Tensor& input) {
  return input.defined() && (input.dtype() == Dtype::f16 || input.dtype() == Dtype::bf16);
}

/// What `input` is to become by `rule`, which is not `keep`.
Dtype autocast_type(const Tensor& input, AutocastRule rule) {
  if (rule == AutocastRule::narrow) return input.dtype() == Dtype::f32 ? autocast.narrow : input.dtype();
  return is_narrow(input) ? Dtype::f32 : input.dtype();
}

bool same_floating_types(Inputs inputs) {
  std::optional<Dtype> found;
  for (const Tensor& input : inputs) {
    if (!input.defined() || !is_floating(input.dtype())) continue;
    if (found && *found != input.dtype()) return false;
    found = input.dtype();
  }
  return true;
}

/// Converts inputs by the operation's rule; returns whether any had to be, in which case all are in
/// `converted`.
bool convert_inputs(const Operation& operation, Inputs inputs, Tensors& converted) {
  const AutocastRule rule = operation.autocast_rule();
  if (rule == AutocastRule::keep || (rule == AutocastRule::agree && same_floating_types(inputs)))
    return false;
  const auto changes = [rule](const Tensor& input) {
    return input.defined() && autocast_type(input, rule) != input.dtype();
  };
  if (std::none_of(inputs.begin(), inputs.end(), changes)) return false;
  for (const Tensor& input : inputs)
    converted.push_back(changes(input) ? autocast.convert(input, autocast_type(input, rule)) : input);
  return true;
}

Tensors run(const Operation& operation, Inputs inputs, uint32_t hearing);

}  // namespace

const Kernel& choose_kernel(const Operation& operation, Inputs inputs, std::span<const Tensor> outputs,
                            Device device) {
  const std::span<const Kernel> kernels = operation.kernels().kernels(device.type);
  const bool explain = log_enabled(LogTopic::dispatch);
  std::string reasons;
  const Kernel* chosen = nullptr;
  for (const Kernel& kernel : kernels) {
    const char* reason = kernel.decline ? kernel.decline(operation, inputs, outputs) : nullptr;
    if (!reason) {
      const char* const yields = kernel.yield ? kernel.yield(operation, inputs, outputs) : nullptr;
      if (!yields || !chosen) chosen = &kernel;
      if (!yields) break;
      reason = yields;
    }
    if (explain) reasons += std::string("; ") + kernel.name + " declined: " + reason;
  }
  if (!chosen) no_kernel(operation, inputs, device, kernels, outputs);
  if (explain) log_choice(operation, inputs, *chosen, reasons);
  return *chosen;
}

std::vector<const Kernel*> contenders(const Operation& operation, Inputs inputs,
                                      std::span<const Tensor> outputs, Device device) {
  std::vector<const Kernel*> found;
  for (const Kernel& kernel : operation.kernels().kernels(device.type)) {
    if (!kernel.reference && !(kernel.decline && kernel.decline(operation, inputs, outputs)))
      found.push_back(&kernel);
  }
  return found;
}

void run_kernel(const Kernel& kernel, const Operation& operation, Inputs inputs, Outputs outputs,
                Device device) {
  const Scratch scratch(kernel.scratch_bytes(operation, inputs, outputs), device);
  kernel.run(operation, inputs, outputs, scratch.get());
}

Tensor make_output(const OutputSpec& spec, Inputs inputs, Device device) {
  if (spec.kind == OutputSpec::Kind::fresh)
    return empty_strided(spec.shape, spec.strides, spec.dtype, device);
  const Tensor& source = inputs[static_cast<size_t>(spec.source)];
  return spec.kind == OutputSpec::Kind::update ? source
                                               : source.with_layout(spec.shape, spec.strides, spec.offset);
}

Tensors apply(const Operation& operation, Inputs inputs) {
  if (!(listeners.word & (kAutocast | bit(ListenerSlot::recorder))))
    return run(operation, inputs, listeners.word);
  Tensors adopted, converted;
  Listener* recorder = listeners.slots[static_cast<size_t>(ListenerSlot::recorder)];
  if (recorder && recorder->adopt(operation, inputs, adopted)) inputs = adopted;
  if (!(listeners.word & kAutocast)) return run(operation, inputs, listeners.word);
  if (convert_inputs(operation, inputs, converted)) inputs = converted;
  const AutocastScope off(std::nullopt, nullptr);  // a kernel that calls operations has chosen their types
  return run(operation, inputs, listeners.word);
}

namespace {

Tensors run(const Operation& operation, Inputs inputs, uint32_t hearing) {
  if ((hearing & bit(ListenerSlot::tape)) && !any_requires_grad(inputs)) hearing &= ~bit(ListenerSlot::tape);
  const Device device = common_device(operation, inputs);

  OutputSpecs specs;
  operation.infer(inputs, specs);
  if (hearing) {
    tell(hearing, [&](Listener& listener) { listener.before(operation, inputs, specs); });
  }
  Tensors outputs;
  if (make_outputs(operation, inputs, specs, device, outputs) && device.type != DeviceType::meta) {
    const Span span(operation.name());
    run_kernel(choose_kernel(operation, inputs, outputs, device), operation, inputs, outputs, device);
  }
  if (hearing) {
    tell(hearing, [&](Listener& listener) { listener.after(operation, inputs, outputs); });
  }
  return outputs;
}

}  // namespace

ListenerScope::ListenerScope(ListenerSlot slot, Listener* listener, bool listens) noexcept
    : slot_(slot),
      listened_(listeners.word & bit(slot)),
      previous_(listeners.slots[static_cast<size_t>(slot)]) {
  listeners.slots[static_cast<size_t>(slot)] = listener;
  listeners.word = listens ? listeners.word | bit(slot) : listeners.word & ~bit(slot);
}

ListenerScope::~ListenerScope() {
  listeners.slots[static_cast<size_t>(slot_)] = previous_;
  listeners.word = listened_ ? listeners.word | bit(slot_) : listeners.word & ~bit(slot_);
}

AutocastScope::AutocastScope(std::optional<Dtype> narrow, Convert convert) noexcept
    : previous_type_(autocast_dtype()), previous_convert_(autocast.convert) {
  if (narrow) autocast = {*narrow, convert};
  listeners.word = narrow ? listeners.word | kAutocast : listeners.word & ~kAutocast;
}

AutocastScope::~AutocastScope() {
  if (previous_type_) autocast = {*previous_type_, previous_convert_};
  listeners.word = previous_type_ ? listeners.word | kAutocast : listeners.word & ~kAutocast;
}

std::optional<Dtype> autocast_dtype() noexcept {
  return listeners.word & kAutocast ? std::optional(autocast.narrow) : std::nullopt;
}

bool capturing() noexcept {
  return listeners.word & bit(ListenerSlot::recorder);
}

Device device_of_values(Device device) noexcept {
  return device == kMeta && capturing() ? kCpu : device;
}

void install_tape(Listener& tape) noexcept {
  installed_tape.store(&tape, std::memory_order_release);
}

EnableGrad::EnableGrad() noexcept : scope_(ListenerSlot::tape, nullptr, true) {}

bool grad_enabled() noexcept {
  return listeners.word & bit(ListenerSlot::tape);
}

}  // namespace espalier
