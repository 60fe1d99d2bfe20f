#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/graph.h"
#include "runtime/state.h"

namespace espalier::runtime {

inline constexpr std::string_view kGradientSuffix = ".grad";

/// What can be captured: a function of tensors, all inputs in one list, to tensors.
using Function = std::function<std::vector<Tensor>(Inputs)>;

namespace detail {
inline std::vector<Tensor> as_list(Tensor result) {
  return {std::move(result)};
}
inline std::vector<Tensor> as_list(std::vector<Tensor> results) {
  return results;
}
ESPALIER_API void check_arguments(size_t given, size_t taken);

template <class F, size_t... I>
std::vector<Tensor> spread(F& f, Inputs inputs, std::index_sequence<I...>) {
  check_arguments(inputs.size(), sizeof...(I));
  if constexpr (std::is_void_v<decltype(f(inputs[I]...))>) {
    f(inputs[I]...);
    return {};
  } else {
    return as_list(f(inputs[I]...));
  }
}
}  // namespace detail

/// Any callable as a Function: one that takes a list of tensors (Inputs), or up to four of them one by one;
/// it may return a tensor, a vector of tensors, or nothing.
template <class F>
Function as_function(F f) {
  return [f = std::move(f)](Inputs inputs) mutable -> std::vector<Tensor> {
    using T = const Tensor&;
    if constexpr (std::is_invocable_v<F&, Inputs>) {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, Inputs>>) {
        f(inputs);
        return {};
      } else {
        return detail::as_list(f(inputs));
      }
    } else if constexpr (std::is_invocable_v<F&, T>) {
      return detail::spread(f, inputs, std::make_index_sequence<1>());
    } else if constexpr (std::is_invocable_v<F&, T, T>) {
      return detail::spread(f, inputs, std::make_index_sequence<2>());
    } else if constexpr (std::is_invocable_v<F&, T, T, T>) {
      return detail::spread(f, inputs, std::make_index_sequence<3>());
    } else {
      static_assert(std::is_invocable_v<F&, T, T, T, T>, "a captured function takes tensors");
      return detail::spread(f, inputs, std::make_index_sequence<4>());
    }
  };
}

/// What `f` computes of inputs like `examples`, as a graph. `f` runs once, on the meta device: nothing is
/// computed, and reading a value throws DeviceError. Whatever plain code does is captured, backward() and an
/// optimiser's step() included, if all that it changes is in `state`; the default generator of the CPU is
/// added to it as `random`. Afterwards the tensors of `state`, their gradients among them, are as they were.
///
/// Inputs are called input0, input1, ... A tensor that `f` reads besides them and `state` becomes a constant,
/// copied. A gradient that a parameter has already, and that `f` reads (adds to, mostly), is an input behind
/// them: `conv1.weight.grad`. Gradients that `f` leaves in a parameter are results of the graph, unless the
/// graph updates that parameter too and they do not go on from such an input: then they were a means to an
/// end.
///
/// While it runs, no other thread may use what is in `state`. Throws what `f` throws; ValueError where `f`
/// changes a tensor that is neither made by it nor in `state`, or puts out an undefined one; GradientError
/// where it reads one that requires a gradient and is not in `state`.
ESPALIER_API Graph capture(const Function& f, Inputs examples, const State& state = {});

/// The same for any callable (as_function) and for examples one by one.
template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Function>)
Graph capture(F&& f, Inputs examples, const State& state = {}) {
  return capture(as_function(std::forward<F>(f)), examples, state);
}
template <class F>
Graph capture(F&& f, std::initializer_list<Tensor> examples, const State& state = {}) {
  return capture(std::forward<F>(f), Inputs(examples.begin(), examples.size()), state);
}

}  // namespace espalier::runtime
