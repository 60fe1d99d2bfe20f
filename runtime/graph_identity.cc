// Graphs compared, hashed and verified.

#include <algorithm>
#include <iomanip>
#include <set>
#include <sstream>

#include "core/error.h"
#include "ops/copy.h"
#include "runtime/fingerprint_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

constexpr std::string_view kVerifying = "verify";

std::string layout_text(const Tensor& type) {
  return type_text(type) + espalier::to_string(type.strides()) + '+' + std::to_string(type.offset());
}

/// All of a graph but the elements of its constants, in a text that does not depend on the numbers of values;
/// the constants, in the order in which they are read, go to `constants`.
class Canonical {
 public:
  explicit Canonical(const Graph& graph) : graph_(graph), numbers_(graph.values().size(), -1) {
    declare("input", graph.inputs());
    declare("state", graph.states());
    for (const Node& node : graph.nodes()) {
      text_ << signature(*node.operation) << to_string(node.marks);
      for (const ValueId id : node.inputs) refer(id);
      text_ << " =";
      for (const ValueId id : node.outputs) text_ << ' ' << layout_text(graph.value(id).type);
      text_ << '\n';
      for (const ValueId id : node.outputs) numbers_[static_cast<size_t>(id)] = next_++;
    }
    text_ << "outputs";
    for (const ValueId id : graph.outputs()) refer(id);
    list("updates", graph.updates());
    list("gradients", graph.gradients());
  }

  std::string text() const { return text_.str(); }
  const std::vector<Tensor>& constants() const { return constants_; }

 private:
  void declare(const char* kind, const std::vector<ValueId>& ids) {
    for (const ValueId id : ids) {
      const Value& value = graph_.value(id);
      numbers_[static_cast<size_t>(id)] = next_++;
      text_ << kind << ' ' << std::quoted(value.name) << ' ' << layout_text(value.type) << '\n';
    }
  }

  void refer(ValueId id) {
    if (id == kAbsent) {
      text_ << " absent";
      return;
    }
    int64_t& number = numbers_[static_cast<size_t>(id)];
    if (number < 0) {
      number = next_++;
      constants_.push_back(graph_.value(id).tensor);
      text_ << " constant " << layout_text(graph_.value(id).type);
    }
    text_ << ' ' << number;
  }

  void list(const char* title, const std::vector<StateUpdate>& updates) {
    text_ << '\n' << title;
    for (const StateUpdate& update : updates) {
      refer(update.state);
      refer(update.value);
    }
  }

  const Graph& graph_;
  std::vector<int64_t> numbers_;  // by first appearance
  int64_t next_ = 0;
  std::ostringstream text_;
  std::vector<Tensor> constants_;
};

/// The elements of a constant in row-major order.
std::string_view bytes_of(const Tensor& contiguous_tensor) {
  return {static_cast<const char*>(contiguous_tensor.raw_data()),
          static_cast<size_t>(contiguous_tensor.numel()) * size_of(contiguous_tensor.dtype())};
}

Tensor row_major_constant(const Tensor& constant) {
  return contiguous(constant.detach());
}

/// FNV-1a (Fowler, Noll, Vo; RFC 9923): 64 bits.
class Fingerprint {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

void check_names(const Graph& graph) {
  std::set<std::string> names;
  for (const std::vector<ValueId>* list : {&graph.inputs(), &graph.states()}) {
    for (const ValueId id : *list) {
      const std::string& name = graph.value(id).name;
      if (name.empty()) throw ValueError(kVerifying, "input or state " + std::to_string(id) + " has no name");
      if (!names.insert(name).second) throw ValueError(kVerifying, "two inputs or states are called " + name);
    }
  }
}

}  // namespace

bool operator==(const Graph& a, const Graph& b) {
  const Canonical one(a), other(b);
  if (one.text() != other.text()) return false;
  return std::equal(one.constants().begin(), one.constants().end(), other.constants().begin(),
                    [](const Tensor& x, const Tensor& y) {
                      return bytes_of(row_major_constant(x)) == bytes_of(row_major_constant(y));
                    });
}

uint64_t fingerprint(const Graph& graph) {
  const Canonical canonical(graph);
  Fingerprint fingerprint;
  fingerprint.add(canonical.text());
  for (const Tensor& constant : canonical.constants())
    fingerprint.add(bytes_of(row_major_constant(constant)));
  return fingerprint.value();
}

uint64_t layout_fingerprint(const Graph& graph) {
  Fingerprint fingerprint;
  fingerprint.add(Canonical(graph).text());
  return fingerprint.value();
}

void verify(const Graph& graph) {
  check_names(graph);
  Rewriter again(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const std::string where = "node " + std::to_string(i) + ", " + std::string(node.operation->name());
    try {
      again.keep(node);
    } catch (const Error& error) {
      throw ValueError(kVerifying, where + ": " + error.what());
    }
    for (const ValueId id : node.outputs) {
      const Tensor &said = graph.value(id).type, &made = again.to().value(again.now(id)).type;
      if (layout_text(said) != layout_text(made)) {
        throw ValueError(kVerifying, where + ": " + graph.name_of(id) + " is said to be " +
                                         layout_text(said) + "; the operation makes " + layout_text(made));
      }
    }
  }
  again.finish();
}

}  // namespace espalier::runtime
