#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "io/image.h"
#include "ops/copy.h"

namespace espalier::data {
namespace {

/// A part of one axis of the result: the pixels [begin, begin + kept) out of `whole`.
struct Part {
  int64_t begin, kept, whole;
};

/// Which pixels of an axis make a pixel of the result: the weights of those from `first` on.
struct Mean {
  int64_t first;
  std::span<const float> weights;
};

/// The means along one axis of `size` pixels.
class Axis {
 public:
  Axis(int64_t size, const Part& part) : first_(static_cast<size_t>(part.kept)), begin_(first_.size() + 1) {
    // Pixel i covers [i, i + 1); `reach` and the middles are in pixels of the image.
    const double scale = static_cast<double>(size) / static_cast<double>(part.whole);
    const double reach = std::max(scale, 1.0);
    std::vector<double> weights;
    for (size_t i = 0; i < first_.size(); ++i) {
      const double middle = (static_cast<double>(part.begin) + static_cast<double>(i) + 0.5) * scale;
      // Those whose middles are nearer than `reach`. A weight of zero is none: zero times infinity is no
      // number.
      first_[i] = std::max<int64_t>(static_cast<int64_t>(std::floor(middle - reach - 0.5)) + 1, 0);
      end_ = std::min(static_cast<int64_t>(std::ceil(middle + reach - 0.5)), size);
      double total = 0;
      weights.clear();
      for (int64_t pixel = first_[i]; pixel < end_; ++pixel) {
        // The bounds are rounded, so a weight may come out a little under zero.
        weights.push_back(std::max(1 - std::abs(static_cast<double>(pixel) + 0.5 - middle) / reach, 0.0));
        total += weights.back();
      }
      for (const double weight : weights) weights_.push_back(static_cast<float>(weight / total));
      begin_[i + 1] = weights_.size();
    }
  }

  int64_t kept() const { return static_cast<int64_t>(first_.size()); }
  Mean operator[](int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return {first_[at], std::span(weights_).subspan(begin_[at], begin_[at + 1] - begin_[at])};
  }
  /// The pixels [first(), end()) are all that count: means move on with their pixels.
  int64_t first() const { return first_.front(); }
  int64_t end() const { return end_; }

 private:
  std::vector<int64_t> first_;
  std::vector<size_t> begin_;
  std::vector<float> weights_;
  int64_t end_ = 0;
};

/// A row of the result before its columns are put together: the mean of rows of `plane`, which are `width`
/// apart.
template <class T>
void mix_rows(const T* plane, int64_t width, const Mean& mean, std::vector<float>& row) {
  std::fill(row.begin(), row.end(), 0.0F);
  plane += mean.first * width;
  for (const float weight : mean.weights) {
    for (size_t x = 0; x < row.size(); ++x) row[x] += weight * static_cast<float>(plane[x]);
    plane += width;
  }
}

template <class T>
T mix_columns(const float* row, const Mean& mean) {
  float value = 0;
  for (const float weight : mean.weights) value += weight * *row++;
  // Weights add up to one but for rounding, which must not lead out of u8.
  if constexpr (std::is_same_v<T, uint8_t>) value = std::min(value + 0.5F, 255.0F);
  return static_cast<T>(value);
}

template <class T>
void resample(const Tensor& from, const Tensor& to, const Axis& rows, const Axis& columns) {
  const int64_t height = from.size(-2), width = from.size(-1);
  const int64_t planes = to.numel() / (rows.kept() * columns.kept());
  const T* const source = from.data<T>();
  T* const target = static_cast<T*>(to.raw_data());
  // A pixel of the result takes some two additions in either direction for each that it stands for.
  const int64_t work = 4 * (height * width / rows.kept() + width);
  parallel_for(0, planes * rows.kept(), kSerialWork / work, [&](int64_t begin, int64_t end) {
    std::vector<float> row(static_cast<size_t>(columns.end() - columns.first()));
    for (int64_t y = begin; y < end; ++y) {
      const T* const plane = source + y / rows.kept() * height * width;
      mix_rows(plane + columns.first(), width, rows[y % rows.kept()], row);
      T* const line = target + y * columns.kept();
      for (int64_t x = 0; x < columns.kept(); ++x) {
        const Mean mean = columns[x];
        line[x] = mix_columns<T>(row.data() + (mean.first - columns.first()), mean);
      }
    }
  });
}

/// The images in row-major order.
Tensor checked(const char* where, const Tensor& images, int64_t height, int64_t width) {
  if (images.rank() != 3 && images.rank() != 4)
    throw ShapeError(where, describe(images) + " is no image [C, H, W], nor images [N, C, H, W]");
  if (images.dtype() != Dtype::u8 && images.dtype() != Dtype::f32)
    throw TypeError(where, describe(images) + "; images are u8 or f32");
  if (images.size(-2) == 0 || images.size(-1) == 0)
    throw ShapeError(where, describe(images) + " has no pixels to resize");
  if (images.device() != kCpu)
    throw DeviceError(where, describe(images) + " is not in the host's memory; copy it to cpu first");
  if (height < 1 || width < 1 || height > io::kMaxImagePixels / width) {
    throw ValueError(where, "a result of height " + std::to_string(height) + " and width " +
                                std::to_string(width) + "; expected at least 1 each and at most " +
                                std::to_string(io::kMaxImagePixels) + " pixels");
  }
  return contiguous(images.detach());
}

Tensor resample(const Tensor& from, const Part& rows, const Part& columns) {
  Shape shape = from.shape();
  shape[shape.rank() - 2] = rows.kept;
  shape[shape.rank() - 1] = columns.kept;
  const Tensor to = empty(shape, from.dtype());
  const Axis vertical(from.size(-2), rows), horizontal(from.size(-1), columns);
  if (from.dtype() == Dtype::u8)
    resample<uint8_t>(from, to, vertical, horizontal);
  else
    resample<float>(from, to, vertical, horizontal);
  return to;
}

}  // namespace

Tensor resize(const Tensor& images, int64_t height, int64_t width) {
  return resample(checked("resize", images, height, width), {0, height, height}, {0, width, width});
}

Tensor middle_square(const Tensor& images, int64_t size) {
  const Tensor from = checked("middle_square", images, size, size);
  const int64_t height = from.size(-2), width = from.size(-1), shorter = std::min(height, width);
  // This cannot overflow: a size that was checked is at most 2^13, and sides of a tensor in memory are short.
  const auto middle = [&](int64_t side) {
    const int64_t whole = size * side / shorter;
    return Part{(whole - size) / 2, size, whole};
  };
  return resample(from, middle(height), middle(width));
}

}  // namespace espalier::data
