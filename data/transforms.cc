#include "data/transforms.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "data/image_batch_internal.h"
#include "data/shuffle_internal.h"

namespace espalier::data {
namespace {

void check_at_least(const char* where, const char* what, double value, double least) {
  if (!(value >= least) || !std::isfinite(value)) {
    throw ValueError(where, std::string(what) + " " + std::to_string(value) + "; expected at least " +
                                std::to_string(least));
  }
}

/// Copies the rectangle of `from` (height x width) that begins at (top, left), which may lie outside, where
/// there are zeros.
template <class T>
void copy_shifted(const T* from, T* to, int64_t height, int64_t width, int64_t top, int64_t left) {
  const int64_t first = std::clamp<int64_t>(-left, 0, width), last = std::clamp(width - left, first, width);
  for (int64_t y = 0; y < height; ++y, to += width) {
    const int64_t row = y + top;
    if (row < 0 || row >= height || first == last) {
      std::fill_n(to, width, T{});
      continue;
    }
    std::fill_n(to, first, T{});
    std::copy(from + row * width + left + first, from + row * width + left + last, to + first);
    std::fill_n(to + last, width - last, T{});
  }
}

}  // namespace

Transform random_crop(int64_t padding, Per per) {
  check_at_least("random_crop", "padding", static_cast<double>(padding), 0);
  constexpr int64_t kMaxPadding = int64_t{1} << 30;  // offsets are drawn as 32-bit numbers
  if (padding > kMaxPadding)
    throw ValueError("random_crop", "padding " + std::to_string(padding) + " is more than any image has");
  return [=](const Examples& batch, RandomStream& random) {
    struct Offset {
      int64_t top, left;
    };
    const ImageBatch from = image_batch("random_crop", batch.inputs);
    const auto places = static_cast<uint32_t>(2 * padding + 1);
    const std::vector<Offset> offsets = draw_per(per, from.images, [&] {
      const int64_t top = random.below(places), left = random.below(places);
      return Offset{top - padding, left - padding};
    });
    const Tensor to = empty(from.tensor.shape(), from.tensor.dtype());
    with_pixel_type(from, [&]<class T>(T) {
      const T* source = from.tensor.data<T>();
      T* target = static_cast<T*>(to.raw_data());
      for (const Offset& offset : offsets) {
        for (int64_t c = 0; c < from.channels; ++c, source += from.plane(), target += from.plane())
          copy_shifted(source, target, from.height, from.width, offset.top, offset.left);
      }
    });
    return Examples{to, batch.labels};
  };
}

Transform random_flip(double probability, Per per) {
  if (!(probability >= 0 && probability <= 1)) {
    throw ValueError("random_flip",
                     "probability " + std::to_string(probability) + "; expected a number from 0 to 1");
  }
  return [=](const Examples& batch, RandomStream& random) {
    const ImageBatch from = image_batch("random_flip", batch.inputs);
    const std::vector<char> flips =
        draw_per(per, from.images, [&] { return static_cast<char>(random.uniform() < probability); });
    const Tensor to = empty(from.tensor.shape(), from.tensor.dtype());
    with_pixel_type(from, [&]<class T>(T) {
      const T* source = from.tensor.data<T>();
      T* target = static_cast<T*>(to.raw_data());
      for (const char flip : flips) {
        const T* const end = source + from.pixels();
        if (!flip) {
          target = std::copy(source, end, target);
          source = end;
        }
        for (; source != end; source += from.width)
          target = std::reverse_copy(source, source + from.width, target);
      }
    });
    return Examples{to, batch.labels};
  };
}

Transform cutout(int64_t size, Per per) {
  check_at_least("cutout", "size", static_cast<double>(size), 0);
  return [=](const Examples& batch, RandomStream& random) {
    struct Middle {
      int64_t y, x;
    };
    const ImageBatch from = image_batch("cutout", batch.inputs);
    const std::vector<Middle> middles = draw_per(per, from.images, [&] {
      const int64_t y = random.below(static_cast<uint32_t>(from.height));
      return Middle{y, random.below(static_cast<uint32_t>(from.width))};
    });
    const Tensor to = empty(from.tensor.shape(), from.tensor.dtype());
    with_pixel_type(from, [&]<class T>(T) {
      T* target = static_cast<T*>(to.raw_data());
      std::copy_n(from.tensor.data<T>(), from.tensor.numel(), target);
      for (const Middle& middle : middles) {
        const int64_t top = std::max<int64_t>(middle.y - size / 2, 0),
                      bottom = std::min(middle.y - size / 2 + size, from.height),
                      left = std::max<int64_t>(middle.x - size / 2, 0),
                      right = std::min(middle.x - size / 2 + size, from.width);
        for (int64_t c = 0; c < from.channels; ++c, target += from.plane()) {
          for (int64_t y = top; y < bottom; ++y)
            std::fill(target + y * from.width + left, target + y * from.width + right, T{});
        }
      }
    });
    return Examples{to, batch.labels};
  };
}

Transform normalise(std::vector<double> mean, std::vector<double> deviation) {
  if (mean.empty() || mean.size() != deviation.size()) {
    throw ValueError("normalise", std::to_string(mean.size()) + " means and " +
                                      std::to_string(deviation.size()) +
                                      " deviations; expected one of each for each channel, or for all");
  }
  for (size_t i = 0; i < mean.size(); ++i) {
    if (!std::isfinite(mean[i]) || !(deviation[i] > 0) || !std::isfinite(deviation[i])) {
      throw ValueError("normalise", "mean " + std::to_string(mean[i]) + " and deviation " +
                                        std::to_string(deviation[i]) + " of channel " + std::to_string(i) +
                                        "; expected finite numbers, and a positive deviation");
    }
  }
  return [mean = std::move(mean), deviation = std::move(deviation)](const Examples& batch, RandomStream&) {
    const ImageBatch from = image_batch("normalise", batch.inputs);
    if (mean.size() > 1 && static_cast<int64_t>(mean.size()) != from.channels) {
      throw ShapeError("normalise", "inputs " + describe(batch.inputs) + " have other than " +
                                        std::to_string(mean.size()) + " channels");
    }
    const Tensor to = empty(from.tensor.shape(), Dtype::f32);
    with_pixel_type(from, [&]<class T>(T) {
      const double range = std::is_same_v<T, uint8_t> ? 255 : 1;
      const T* source = from.tensor.data<T>();
      auto* target = static_cast<float*>(to.raw_data());
      for (int64_t plane = 0; plane < from.images * from.channels; ++plane) {
        const auto c = mean.size() == 1 ? 0 : static_cast<size_t>(plane % from.channels);
        const auto scale = static_cast<float>(1 / (range * deviation[c])),
                   shift = static_cast<float>(-mean[c] / deviation[c]);
        target = std::transform(source, source + from.plane(), target,
                                [=](T pixel) { return static_cast<float>(pixel) * scale + shift; });
        source += from.plane();
      }
    });
    return Examples{to, batch.labels};
  };
}

Transform one_hot(int64_t classes) {
  check_at_least("one_hot", "the number of classes", static_cast<double>(classes), 1);
  return [=](const Examples& batch, RandomStream&) {
    if (batch.labels.rank() != 1)
      throw ShapeError("one_hot", "labels " + describe(batch.labels) + "; expected i64[N]");
    const Tensor rows = contiguous(batch.labels.detach());
    const auto* label = rows.data<int64_t>();
    const Tensor hot = zeros({rows.numel(), classes});
    auto* row = static_cast<float*>(hot.raw_data());
    for (int64_t i = 0; i < rows.numel(); ++i, row += classes) {
      if (label[i] < 0 || label[i] >= classes) {
        throw ValueError("one_hot",
                         "label " + std::to_string(label[i]) + " of " + std::to_string(classes) + " classes");
      }
      row[label[i]] = 1;
    }
    return Examples{batch.inputs, hot};
  };
}

}  // namespace espalier::data
