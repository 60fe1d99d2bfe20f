#include "data/text.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/gzip.h"
#include "io/utf8.h"
#include "ops/copy.h"

namespace espalier::data {
namespace {

class Windows final : public ExampleSource {
 public:
  Windows(Tensor tokens, int64_t context) : tokens_(std::move(tokens)), context_(context) {}
  int64_t size() const noexcept override { return tokens_.numel() - context_; }

  Examples read(std::span<const int64_t> numbers) const override {
    const Shape shape{static_cast<int64_t>(numbers.size()), context_};
    const Tensor inputs = empty(shape, Dtype::i64), labels = empty(shape, Dtype::i64);
    auto *input = static_cast<int64_t*>(inputs.raw_data()), *label = static_cast<int64_t*>(labels.raw_data());
    const auto* tokens = tokens_.data<int64_t>();
    for (const int64_t number : numbers) {
      input = std::copy_n(tokens + number, context_, input);
      label = std::copy_n(tokens + number + 1, context_, label);
    }
    return {inputs, labels};
  }

 private:
  Tensor tokens_;
  int64_t context_;
};

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  const std::vector<unsigned char> bytes = io::read_gzip_or_plain(path, kMaxTextBytes);
  std::string text(bytes.begin(), bytes.end());
  io::check_utf8(text, path.string());
  return text;
}

DataSet windows(const Tensor& tokens, int64_t context) {
  if (tokens.rank() != 1) throw ShapeError("windows", "tokens " + describe(tokens) + "; expected i64[N]");
  if (tokens.dtype() != Dtype::i64)
    throw TypeError("windows", "tokens " + describe(tokens) + "; expected i64[N]");
  if (context < 1 || context >= tokens.numel()) {
    throw ValueError("windows", "a context of " + std::to_string(context) + " in " +
                                    std::to_string(tokens.numel()) +
                                    " tokens; expected at least 1 and fewer than there are tokens");
  }
  return DataSet(std::make_shared<Windows>(contiguous(tokens.detach()), context));
}

}  // namespace espalier::data
