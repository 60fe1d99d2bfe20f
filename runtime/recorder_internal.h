#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/door.h"
#include "runtime/graph.h"

namespace espalier::runtime {

/// While it lives, tensors are on the meta device: their bodies, which all handles share, look into storages
/// without memory. Tensors that shared a storage still do.
class OnMeta {
 public:
  explicit OnMeta(std::span<const Tensor> tensors);
  ~OnMeta();
  OnMeta(const OnMeta&) = delete;
  OnMeta& operator=(const OnMeta&) = delete;

  /// What stands for the storage of one of the tensors; null for any other.
  Ref<Storage> on_meta(const Storage* original) const;

  /// `tensor` as it was: a handle that stays off meta.
  Tensor original(const Tensor& tensor) const;

 private:
  struct Moved {
    Tensor tensor;
    Ref<Storage> original;
  };
  std::vector<Moved> moved_;
  std::unordered_map<const Storage*, Ref<Storage>> storages_;
};

/// Listens to a thread and adds each operation on meta tensors to a graph. Operations on other tensors, of
/// which everything is known, run as always; where they meet a tensor on meta they become constants.
class Recorder final : public Listener {
 public:
  Recorder(Graph& graph, const OnMeta& state) : graph_(graph), state_(state) {}

  /// Says that `tensor`, the first of its storage, holds `value`; what is `lent` is not to be changed.
  void know(const Tensor& tensor, ValueId value, bool lent = false);
  /// The value that `tensor` holds now, on behalf of `reader`.
  ValueId value_of(const Tensor& tensor, std::string_view reader);
  /// The same for what the captured function leaves, which may be a constant.
  ValueId result(const Tensor& tensor);

  bool adopt(const Operation& operation, Inputs inputs, Tensors& all) override;
  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) override;
  void after(const Operation& operation, Inputs inputs, Outputs outputs) override;

 private:
  /// A part of a storage that a tensor was seen to look at.
  struct Look {
    Tensor tensor;
    ValueId value;
    uint32_t changes;                       ///< of the storage, when `value` was right
    std::shared_ptr<const Operation> view;  ///< null for the whole
    std::vector<ValueId> inputs;            ///< of `view`; the one at `source` is looked up again
    size_t source = 0, source_look = 0;
  };
  struct Memory {
    std::vector<Look> looks;
    uint32_t changes = 0;
    bool lent = false;
  };

  /// A tensor off meta, and what stands for it as it was at that version.
  struct Constant {
    Tensor met;
    uint32_t version;
    Tensor stand_in;
  };

  Look* find(Memory& memory, const Tensor& tensor);
  void refresh(Memory& memory, size_t look);
  Tensor adopted(std::string_view reader, const Tensor& tensor);
  void note_view(const Operation& operation, const Tensor& output, ValueId value,
                 std::span<const ValueId> inputs, const Tensor& source_tensor, size_t source);
  void note_update(const Tensor& output, ValueId value);

  Graph& graph_;
  const OnMeta& state_;
  std::unordered_map<const Storage*, Memory> memories_;
  std::vector<Constant> constants_;
  std::vector<Tensor> made_here_;  ///< results of operations off meta
  std::vector<OutputSpec> specs_;  ///< of the operation that runs
  int depth_ = 0;                  ///< of operations off meta inside each other
};

}  // namespace espalier::runtime
