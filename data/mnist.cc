#include "data/mnist.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/error.h"
#include "io/idx.h"
#include "ops/cast.h"
#include "ops/reshape.h"

namespace espalier::data {
namespace {

constexpr int64_t kSide = 28;
constexpr int kClasses = 10;

std::filesystem::path find(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path plain = folder / name, packed = folder / (name + ".gz");
  for (const std::filesystem::path& path : {plain, packed}) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
    if (error) throw IoError(path.string(), "cannot be looked at: " + error.message());
  }
  throw IoError(plain.string(), "does not exist, nor does " + packed.filename().string() +
                                    "; scripts/get-data mnist fetches it");
}

Examples read_part(const std::filesystem::path& folder, const std::string& part) {
  const std::filesystem::path image_file = find(folder, part + "-images-idx3-ubyte"),
                              label_file = find(folder, part + "-labels-idx1-ubyte");
  const Tensor images = io::load_idx(image_file), labels = io::load_idx(label_file);
  if (images.dtype() != Dtype::u8 || images.rank() != 3 || images.size(1) != kSide || images.size(2) != kSide)
    throw FormatError(image_file.string(), "holds " + describe(images) + "; expected u8[N, 28, 28]");
  if (labels.dtype() != Dtype::u8 || labels.rank() != 1 || labels.size(0) != images.size(0)) {
    throw FormatError(label_file.string(),
                      "holds " + describe(labels) + "; the images beside it are " + describe(images));
  }
  const uint8_t *begin = labels.data<uint8_t>(), *end = begin + labels.numel();
  const uint8_t* const wrong = std::find_if(begin, end, [](uint8_t label) { return label >= kClasses; });
  if (wrong != end) {
    throw FormatError(label_file.string(), "label " + std::to_string(wrong - begin) + " is " +
                                               std::to_string(*wrong) + "; expected a digit");
  }
  return {reshape(images, {images.size(0), 1, kSide, kSide}), cast(labels, Dtype::i64)};
}

}  // namespace

Split mnist(const std::filesystem::path& folder) {
  return {read_part(folder, "train"), read_part(folder, "t10k")};
}

}  // namespace espalier::data
