#include "data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "data/image_channels.h"
#include "data/resize.h"
#include "io/image.h"

namespace espalier::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxSide = int64_t{1} << 13;
static_assert(kMaxSide * kMaxSide == io::kMaxImagePixels);

/// The sorted names in a folder that `wanted` takes, without those that begin with a dot.
std::vector<std::string> list(const fs::path& folder, const char* expected,
                              const std::function<bool(const fs::directory_entry&)>& wanted) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && wanted(*entry)) names.push_back(std::move(name));
  }
  if (error) throw IoError(folder.string(), "cannot list it: " + error.message() + "; expected " + expected);
  std::sort(names.begin(), names.end());
  return names;
}

/// What an entry is, or what it leads to. A link to nothing is an error: what is left out without a word
/// would be missed in training, not here.
fs::file_status status_of(const fs::directory_entry& entry) {
  std::error_code error;
  const fs::file_status status = entry.status(error);
  if (fs::exists(status)) return status;
  throw IoError(entry.path().string(), "leads nowhere: " + error.message() + "; remove the link, or mend it");
}

bool is_folder(const fs::directory_entry& entry) {
  return fs::is_directory(status_of(entry));
}

bool is_image(const fs::directory_entry& entry) {
  std::string ending = entry.path().extension().string();
  for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return (ending == ".png" || ending == ".jpg" || ending == ".jpeg") && fs::is_regular_file(status_of(entry));
}

std::string size_text(const Tensor& image) {
  return std::to_string(image.size(2)) + " x " + std::to_string(image.size(1));
}

struct File {
  std::string name;
  size_t label;
};

class Images final : public ExampleSource {
 public:
  Images(fs::path folder, std::vector<std::string> classes, std::vector<File> files,
         const ImageFolderOptions& options)
      : folder_(std::move(folder)),
        classes_(std::move(classes)),
        files_(std::move(files)),
        options_(options) {
    if (options_.size) {
      height_ = width_ = *options_.size;
      return;
    }
    const Tensor first = io::read_image(path(0));
    height_ = first.size(1);
    width_ = first.size(2);
  }

  int64_t size() const noexcept override { return static_cast<int64_t>(files_.size()); }

  Examples read(std::span<const int64_t> numbers) const override {
    const auto n = static_cast<int64_t>(numbers.size());
    const Tensor images = empty({n, options_.channels, height_, width_}, Dtype::u8);
    const Tensor labels = empty({n}, Dtype::i64);
    auto* to = static_cast<uint8_t*>(images.raw_data());
    auto* label = static_cast<int64_t*>(labels.raw_data());
    for (const int64_t number : numbers) {
      const Tensor image = with_channels(read_one(static_cast<size_t>(number)), options_.channels);
      to = std::copy_n(image.data<uint8_t>(), image.numel(), to);
      *label++ = static_cast<int64_t>(files_[static_cast<size_t>(number)].label);
    }
    return {images, labels};
  }

 private:
  fs::path path(size_t number) const {
    return folder_ / classes_[files_[number].label] / files_[number].name;
  }

  /// Image u8 [1 or 3, height_, width_].
  Tensor read_one(size_t number) const {
    Tensor image = io::read_image(path(number));
    if (options_.size) return middle_square(image, *options_.size);
    if (image.size(1) == height_ && image.size(2) == width_) return image;
    throw FormatError(path(number).string(), "is " + size_text(image) + " pixels, and the first image, " +
                                                 path(0).string() + ", " + std::to_string(width_) + " x " +
                                                 std::to_string(height_) +
                                                 "; give a size, to which all are brought");
  }

  fs::path folder_;
  std::vector<std::string> classes_;
  std::vector<File> files_;
  ImageFolderOptions options_;
  int64_t height_ = 0, width_ = 0;
};

void check(const ImageFolderOptions& options) {
  if (options.size && (*options.size < 1 || *options.size > kMaxSide)) {
    throw ValueError("image_folder",
                     "size " + std::to_string(*options.size) + "; expected 1 to " + std::to_string(kMaxSide));
  }
  if (options.channels != 1 && options.channels != 3) {
    throw ValueError("image_folder", "channels " + std::to_string(options.channels) +
                                         "; expected 1 (grey) or 3 (red, green, blue)");
  }
}

}  // namespace

ImageFolder image_folder(const fs::path& folder, const ImageFolderOptions& options) {
  check(options);
  std::vector<std::string> classes = list(folder, "a folder with a sub-folder for each class", is_folder);
  if (classes.empty())
    throw FormatError(folder.string(), "has no sub-folders; expected one for each class, with its images");
  std::vector<File> files;
  for (size_t label = 0; label < classes.size(); ++label) {
    const fs::path place = folder / classes[label];
    const std::vector<std::string> names = list(place, "a folder of images", is_image);
    if (names.empty()) {
      throw FormatError(place.string(),
                        "has no images (.png, .jpg, .jpeg); remove it, or put those of the class there");
    }
    for (const std::string& name : names) files.push_back({name, label});
  }
  const Tensor labels = empty({static_cast<int64_t>(files.size())}, Dtype::i64);
  std::transform(files.begin(), files.end(), static_cast<int64_t*>(labels.raw_data()),
                 [](const File& file) { return static_cast<int64_t>(file.label); });
  return {DataSet(std::make_shared<const Images>(folder, classes, std::move(files), options)), labels,
          std::move(classes)};
}

}  // namespace espalier::data
