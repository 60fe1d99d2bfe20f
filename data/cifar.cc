#include "data/cifar.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/cifar_records_internal.h"
#include "io/gzip.h"
#include "ops/concat.h"

namespace espalier::data {
namespace {

constexpr int64_t kPixels = int64_t{3} * 32 * 32;

struct Layout {
  int64_t label_bytes;
  int64_t classes;
  int64_t records;
  const char* source;  ///< where the files come from
};

constexpr Layout kCifar10{
    .label_bytes = 1, .classes = 10, .records = 10'000, .source = "scripts/get-data cifar10 fetches it"};

Examples read_file(const std::filesystem::path& path, const Layout& layout) {
  std::error_code error;  // of what is there, reading tells
  if (!std::filesystem::exists(path, error) && !error)
    throw IoError(path.string(), std::string("does not exist; ") + layout.source);
  const auto expected = static_cast<size_t>(layout.records * (layout.label_bytes + kPixels));
  const std::vector<unsigned char> bytes = io::read_gzip_or_plain(path, 2 * expected);
  if (bytes.size() != expected) {
    throw FormatError(path.string(), "has " + std::to_string(bytes.size()) + " bytes; CIFAR's file of " +
                                         std::to_string(layout.records) + " records has " +
                                         std::to_string(expected));
  }
  return parse_cifar_records(bytes, layout.label_bytes, layout.classes, path.string());
}

}  // namespace

Examples parse_cifar_records(std::span<const unsigned char> bytes, int64_t label_bytes, int64_t classes,
                             const std::string& name) {
  const auto record = static_cast<size_t>(label_bytes + kPixels);
  if (bytes.size() % record != 0) {
    throw FormatError(name, "has " + std::to_string(bytes.size()) + " bytes, which are no whole records of " +
                                std::to_string(record));
  }
  const auto n = static_cast<int64_t>(bytes.size() / record);
  const Tensor images = empty({n, 3, 32, 32}, Dtype::u8), labels = empty({n}, Dtype::i64);
  auto* pixels = static_cast<uint8_t*>(images.raw_data());
  auto* label = static_cast<int64_t*>(labels.raw_data());
  for (int64_t i = 0; i < n; ++i, bytes = bytes.subspan(record)) {
    label[i] = bytes[static_cast<size_t>(label_bytes - 1)];
    if (label[i] >= classes) {
      throw FormatError(name, "record " + std::to_string(i) + " has the label " + std::to_string(label[i]) +
                                  "; there are " + std::to_string(classes) + " classes");
    }
    const auto image = bytes.subspan(static_cast<size_t>(label_bytes), static_cast<size_t>(kPixels));
    pixels = std::copy(image.begin(), image.end(), pixels);
  }
  return {images, labels};
}

Split cifar10(const std::filesystem::path& folder) {
  std::vector<Tensor> inputs, labels;
  for (const char* name :
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}) {
    const Examples part = read_file(folder / name, kCifar10);
    inputs.push_back(part.inputs);
    labels.push_back(part.labels);
  }
  return {{concat(inputs), concat(labels)}, read_file(folder / "test_batch.bin", kCifar10)};
}

Split cifar100(const std::filesystem::path& folder) {
  Layout layout{.label_bytes = 2,
                .classes = 100,
                .records = 50'000,
                .source = "cifar-100-binary.tar.gz from www.cs.toronto.edu/~kriz/cifar.html holds it"};
  Examples train = read_file(folder / "train.bin", layout);
  layout.records = 10'000;
  return {std::move(train), read_file(folder / "test.bin", layout)};
}

}  // namespace espalier::data
