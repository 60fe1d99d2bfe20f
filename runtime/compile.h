#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/batch_runner.h"
#include "runtime/capture.h"

namespace espalier::runtime {

/// A function that runs as plans: for each set of shapes, types and layouts of its inputs (and modes of the
/// layers, autocasting, gradients that are there) it is captured and planned the first time, and the plan is
/// run from then on. What a run changes in `state` is changed in the tensors themselves, and the gradients it
/// leaves are set, as `f` would have. States that it only reads (all of them where it changes nothing, else
/// parameters, unless it finds gradients) count as constants, so that a plan has them packed; where somebody
/// changes one, the next run makes the plan anew, and takes them for states where that happens all the time.
/// Where it changes nothing, its batch may be cut into parts (BatchRunner): the first axis of all inputs in
/// which that is as long as the first one's. `f` is then captured once more at the parts' sizes.
///
/// One thread at a time may use it. The tensors that it puts out require no gradient. Inputs may lie in
/// memory as they like; what has gaps is copied. With Equality::strict it is a ShapeError, since sums over it
/// may be taken in another order than over its copy.
class ESPALIER_API CompiledFunction {
 public:
  explicit CompiledFunction(Function f, State state = {}, const PlanOptions& options = {});
  ~CompiledFunction();
  CompiledFunction(CompiledFunction&&) noexcept;
  CompiledFunction& operator=(CompiledFunction&&) noexcept;

  /// Throws what capture(), BatchRunner and its run() throw.
  std::vector<Tensor> run(Inputs inputs);
  /// The plan for such inputs, or the largest part of them, made where there is none yet.
  const Plan& plan(Inputs inputs);
  /// Plans made from now on choose their kernels by these times (see Plan); null: by rules. `choices`
  /// outlives them all.
  void choose_kernels_by(KernelChoices* choices) noexcept { options_.choices = choices; }
  /// From the next plan on, into how many parts batches are cut (BatchOptions::parts).
  void cut_batches(int64_t parts) noexcept { options_.parts = parts; }
  /// How many plans there are.
  size_t plan_count() const noexcept;

 private:
  struct Variant;
  Variant& variant(Inputs inputs);

  Function f_;
  State state_;
  BatchOptions options_;
  std::vector<std::unique_ptr<Variant>> variants_;
};

/// A CompiledFunction that is called like the function it was made of.
template <class F>
class Compiled : public CompiledFunction {
 public:
  Compiled(F f, State state, const PlanOptions& options)
      : CompiledFunction(as_function(std::move(f)), std::move(state), options) {}

  template <class... T>
    requires(std::is_convertible_v<const T&, Tensor> && ...)
  auto operator()(const T&... inputs) {
    const Tensor list[] = {inputs...};
    return result<std::invoke_result_t<F&, const T&...>>(run(Inputs(list, sizeof...(T))));
  }
  auto operator()(Inputs inputs)
    requires std::is_invocable_v<F&, Inputs>
  {
    return result<std::invoke_result_t<F&, Inputs>>(run(inputs));
  }

 private:
  template <class R>
  static R result(std::vector<Tensor> results) {
    if constexpr (std::is_void_v<R>)
      return;
    else if constexpr (std::is_same_v<R, Tensor>)
      return std::move(results[0]);
    else
      return results;
  }
};

/// `f` as plans; `models` are the models and optimisers that it reads and changes, or one State.
///
///   auto step = runtime::compile([&](const Tensor& x, const Tensor& y) {
///     const Tensor loss = cross_entropy(model(x), y);
///     adam.zero_grad();
///     backward(loss);
///     adam.step();
///     return loss;
///   }, model, adam);
///   for (...) total += step(x, y).item();
template <class F, nn::Visitable... M>
Compiled<F> compile(F f, M&... models) {
  return Compiled<F>(std::move(f), State(models...), {});
}
template <class F>
Compiled<F> compile(F f, State state) {
  return Compiled<F>(std::move(f), std::move(state), {});
}
/// The same with options, `{.equality = Equality::strict}` for one.
template <class F, nn::Visitable... M>
Compiled<F> compile(F f, const PlanOptions& options, M&... models) {
  return Compiled<F>(std::move(f), State(models...), options);
}
template <class F>
Compiled<F> compile(F f, const PlanOptions& options, State state) {
  return Compiled<F>(std::move(f), std::move(state), options);
}

}  // namespace espalier::runtime
