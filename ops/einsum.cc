#include "ops/einsum.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ops/cast.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// A name of an axis: the letter, or kEllipsis + how far from the last one of the ellipsis' axes.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsis = 256;

bool contains(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

int index_of(const Labels& labels, Label label) {
  return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A tensor whose axes have names, each a different one.
struct Term {
  Tensor tensor;
  Labels labels;
};

/// The axes of `term` in another order, which names all of them.
Term in_order(const Term& term, const Labels& order) {
  Dims axes;
  bool same = true;
  for (const Label label : order) {
    axes.push_back(index_of(term.labels, label));
    same &= axes.back() == axes.rank() - 1;
  }
  return same ? term : Term{permute(term.tensor, axes), order};
}

/// The sum over all axes that are not in `kept`.
Term summed(const Term& term, const Labels& kept) {
  Dims axes;
  Labels left;
  for (size_t i = 0; i < term.labels.size(); ++i) {
    if (contains(kept, term.labels[i]))
      left.push_back(term.labels[i]);
    else
      axes.push_back(static_cast<int64_t>(i));
  }
  // Sums of integers are i64.
  return axes.empty() ? term : Term{cast(sum(term.tensor, axes), term.tensor.dtype()), left};
}

/// Labels of a product, sorted by what becomes of them.
struct Roles {
  Labels batch;       ///< in both terms and in the result
  Labels contracted;  ///< in both terms only
  Labels own;         ///< in one term
};

int64_t size_of_axes(const Term& term, const Labels& labels) {
  int64_t size = 1;
  for (const Label label : labels) size *= term.tensor.shape()[index_of(term.labels, label)];
  return size;
}

/// `term` as [batch, own, contracted]; the last two are exchanged in memory where that is how they lie.
Tensor as_matrices(const Term& term, const Roles& roles) {
  const bool transposed =
      !roles.own.empty() && !term.labels.empty() && contains(roles.own, term.labels.back());
  Labels order = roles.batch;
  for (const Labels* part :
       {transposed ? &roles.contracted : &roles.own, transposed ? &roles.own : &roles.contracted}) {
    order.insert(order.end(), part->begin(), part->end());
  }
  const int64_t batch = size_of_axes(term, roles.batch), own = size_of_axes(term, roles.own),
                contracted = size_of_axes(term, roles.contracted);
  Shape shape = transposed ? Shape{contracted, own} : Shape{own, contracted};
  if (!roles.batch.empty()) shape.insert(0, batch);
  const Tensor matrices = reshape(in_order(term, order).tensor, shape);
  return transposed ? transpose(matrices, -2, -1) : matrices;
}

/// The product of two terms, summed over the labels that both have and `kept` has not.
Term product(const Term& a, const Term& b, const Labels& kept) {
  Roles left, right;
  for (const Label label : a.labels) {
    if (!contains(b.labels, label))
      left.own.push_back(label);
    else if (contains(kept, label))
      left.batch.push_back(label);
    else
      left.contracted.push_back(label);
  }
  right = {left.batch, left.contracted, {}};
  for (const Label label : b.labels) {
    if (!contains(a.labels, label)) right.own.push_back(label);
  }
  Shape shape;
  Labels labels;
  const auto add = [&](const Term& from, const Labels& part) {
    for (const Label label : part) {
      labels.push_back(label);
      shape.push_back(from.tensor.shape()[index_of(from.labels, label)]);
    }
  };
  add(a, left.batch);
  add(a, left.own);
  add(b, right.own);
  const Tensor x = as_matrices(a, left), y = transpose(as_matrices(b, right), -2, -1);
  return {reshape(left.contracted.empty() ? x * y : matmul(x, y), shape), labels};
}

/// An equation taken apart: the operands' axes, and those of the result.
class Equation {
 public:
  Equation(std::string_view text, std::span<const Tensor> operands) : text_(text) {
    std::string stripped;
    for (const char c : text) {
      if (c != ' ') stripped.push_back(c);
    }
    const size_t arrow = stripped.find("->");
    split(stripped.substr(0, arrow), operands.size());
    for (size_t i = 0; i < operands.size(); ++i) terms_.push_back(named(written_[i], operands[i]));
    if (arrow == std::string::npos)
      imply_result();
    else
      read_result(stripped.substr(arrow + 2));
    unify_sizes();
  }

  std::vector<Term>& terms() { return terms_; }
  const Labels& result() const { return result_; }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw ValueError("einsum", what + " (equation \"" + std::string(text_) + "\")");
  }

  void split(const std::string& left, size_t operands) {
    size_t begin = 0;
    while (true) {
      const size_t comma = left.find(',', begin);
      written_.push_back(left.substr(begin, comma - begin));
      if (comma == std::string::npos) break;
      begin = comma + 1;
    }
    if (written_.size() != operands) {
      refuse("there are " + std::to_string(written_.size()) + " terms for " + std::to_string(operands) +
             " operands");
    }
  }

  /// The labels of a term, with `ellipsis` axes for "...".
  Labels labels_of(const std::string& term, int ellipsis) const {
    Labels labels;
    bool met = false;
    for (size_t i = 0; i < term.size(); ++i) {
      if (is_letter(term[i])) {
        labels.push_back(term[i]);
      } else if (term.compare(i, 3, "...") == 0) {
        if (met) refuse("\"" + term + "\" has two ellipses");
        met = true;
        for (int k = ellipsis; k-- > 0;) labels.push_back(kEllipsis + k);
        i += 2;
      } else {
        refuse(std::string("'") + term[i] + "' is neither a letter nor part of \",\", \"...\" or one \"->\"");
      }
    }
    return labels;
  }

  Term named(const std::string& term, const Tensor& operand) {
    const auto letters = static_cast<int>(std::count_if(term.begin(), term.end(), is_letter));
    const bool any = term.find('.') != std::string::npos;
    const int rest = operand.rank() - letters;
    Labels labels = labels_of(term, any ? std::max(rest, 0) : 0);
    if (rest < 0 || (rest > 0 && !any)) {
      throw ShapeError("einsum", "\"" + term + "\" names " + std::to_string(letters) + " axes of " +
                                     describe(operand) + " (equation \"" + std::string(text_) + "\")");
    }
    if (any) ellipsis_ = std::max(ellipsis_, rest);
    return with_diagonals({operand, std::move(labels)});
  }

  /// A letter that occurs twice is an axis of the elements for which both indices agree: of the two axes
  /// joined to one of n * n elements, every (n + 1)th.
  Term with_diagonals(Term term) const {
    for (size_t i = 0; i < term.labels.size(); ++i) {
      const auto later = std::find(term.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                   term.labels.end(), term.labels[i]);
      if (later == term.labels.end()) continue;
      const auto j = static_cast<int>(later - term.labels.begin());
      const int64_t n = term.tensor.shape()[static_cast<int>(i)];
      if (term.tensor.shape()[j] != n) {
        throw ShapeError("einsum", std::string("'") + static_cast<char>(term.labels[i]) +
                                       "' names two axes of different sizes of " + describe(term.tensor) +
                                       " (equation \"" + std::string(text_) + "\")");
      }
      Dims order;
      Shape joined;
      Labels labels;
      for (int k = 0; k < term.tensor.rank(); ++k) {
        if (k == static_cast<int>(i) || k == j) continue;
        order.push_back(k);
        joined.push_back(term.tensor.shape()[k]);
        labels.push_back(term.labels[static_cast<size_t>(k)]);
      }
      order.push_back(static_cast<int64_t>(i));
      order.push_back(j);
      joined.push_back(checked_count({n, n}, "einsum"));
      labels.push_back(term.labels[i]);
      const Tensor pairs = reshape(permute(term.tensor, order), joined);
      return with_diagonals({slice(pairs, -1, {.step = n + 1}), labels});
    }
    return term;
  }

  void imply_result() {
    for (int k = ellipsis_; k-- > 0;) result_.push_back(kEllipsis + k);
    std::string all;
    for (const std::string& term : written_) all += term;
    for (int letter = 'A'; letter <= 'z'; ++letter) {
      if (is_letter(static_cast<char>(letter)) && std::count(all.begin(), all.end(), letter) == 1)
        result_.push_back(letter);
    }
  }

  void read_result(const std::string& right) {
    result_ = labels_of(right, ellipsis_);
    for (size_t i = 0; i < result_.size(); ++i) {
      const bool met = std::any_of(terms_.begin(), terms_.end(),
                                   [&](const Term& term) { return contains(term.labels, result_[i]); });
      const std::string letter = std::string("'") + static_cast<char>(result_[i]) + "'";
      if (!met) refuse(letter + " of the result is in no operand");
      if (std::count(result_.begin(), result_.end(), result_[i]) > 1)
        refuse(letter + " is twice in the result");
    }
  }

  /// Checks that each label has one size, and takes out axes of size 1 where others of the label are larger.
  void unify_sizes() {
    for (const Term& owner : terms_) {
      for (const Label label : owner.labels) {
        int64_t size = 1;
        for (const Term& term : terms_) {
          if (!contains(term.labels, label)) continue;
          const int64_t here = term.tensor.shape()[index_of(term.labels, label)];
          if (here != 1 && size != 1 && here != size) refuse_sizes(label);
          if (here != 1) size = here;
        }
        sizes_.emplace_back(label, size);
      }
    }
    for (const auto& [label, size] : sizes_) {
      for (Term& term : terms_) {
        if (size == 1 || !contains(term.labels, label)) continue;
        const int axis = index_of(term.labels, label);
        if (term.tensor.shape()[axis] == size) continue;
        term.tensor = squeeze(term.tensor, axis);
        term.labels.erase(term.labels.begin() + axis);
      }
    }
  }

  [[noreturn]] void refuse_sizes(Label label) const {
    std::string operands;
    for (const Term& term : terms_) operands += (operands.empty() ? "" : ", ") + describe(term.tensor);
    const std::string what = label < kEllipsis ? std::string("'") + static_cast<char>(label) + "'"
                                               : std::string("an ellipsis' axis");
    throw ShapeError(
        "einsum", what + " has several sizes in " + operands + " (equation \"" + std::string(text_) + "\")");
  }

  std::string_view text_;
  std::vector<std::string> written_;
  std::vector<Term> terms_;
  std::vector<std::pair<Label, int64_t>> sizes_;
  int ellipsis_ = 0;  ///< axes that the longest ellipsis stands for
  Labels result_;
};

void check_operands(std::string_view name, std::span<const Tensor> operands) {
  check_defined(name, operands);
  for (const Tensor& operand : operands) {
    if (operand.dtype() != operands[0].dtype()) {
      throw TypeError(name, "operands " + describe(operands) + " are of several types; convert them to one");
    }
  }
}

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  if (operands.empty()) throw ValueError("einsum", "there are no operands");
  check_operands("einsum", operands);
  Equation parsed(equation, operands);
  std::vector<Term>& terms = parsed.terms();
  // What the terms from the second on, or those after them, still need.
  std::vector<Labels> needed(terms.size(), parsed.result());
  for (size_t i = terms.size() - 1; i-- > 0;) {
    needed[i] = needed[i + 1];
    needed[i].insert(needed[i].end(), terms[i + 1].labels.begin(), terms[i + 1].labels.end());
  }
  Term total = summed(terms[0], needed[0]);
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels kept = needed[i];
    kept.insert(kept.end(), total.labels.begin(), total.labels.end());
    total = product(total, summed(terms[i], kept), needed[i]);
  }
  return in_order(total, parsed.result()).tensor;
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& a_axes, const Dims& b_axes) {
  const Tensor operands[] = {a, b};
  check_operands("tensordot", operands);
  if (a_axes.rank() != b_axes.rank()) {
    throw ShapeError("tensordot", "axes " + to_string(a_axes) + " and " + to_string(b_axes) +
                                      " do not pair up (operands " + describe(operands) + ")");
  }
  Term left{a, {}}, right{b, {}};
  for (int i = 0; i < a.rank(); ++i) left.labels.push_back(i);
  for (int i = 0; i < b.rank(); ++i) right.labels.push_back(kMaxRank + i);
  for (int i = 0; i < a_axes.rank(); ++i) {
    const int from = normalize_axis(a_axes[i], a.rank(), "tensordot"),
              to = normalize_axis(b_axes[i], b.rank(), "tensordot");
    const bool twice = right.labels[static_cast<size_t>(to)] < kMaxRank || contains(right.labels, from);
    if (twice || a.shape()[from] != b.shape()[to]) {
      throw ShapeError("tensordot", "axes " + to_string(a_axes) + " and " + to_string(b_axes) + " of " +
                                        describe(operands) + (twice ? " name one twice" : " differ in size"));
    }
    right.labels[static_cast<size_t>(to)] = from;
  }
  Labels kept;
  for (const Label label : left.labels) {
    if (!contains(right.labels, label)) kept.push_back(label);
  }
  return product(left, right, kept).tensor;
}

Tensor tensordot(const Tensor& a, const Tensor& b, int axes) {
  const Tensor operands[] = {a, b};
  check_operands("tensordot", operands);
  if (axes < 0 || axes > std::min(a.rank(), b.rank())) {
    throw ShapeError("tensordot", "there are no " + std::to_string(axes) + " axes to sum over in both of " +
                                      describe(operands));
  }
  Dims last, first;
  for (int i = 0; i < axes; ++i) {
    last.push_back(a.rank() - axes + i);
    first.push_back(i);
  }
  return tensordot(a, b, last, first);
}

}  // namespace espalier
