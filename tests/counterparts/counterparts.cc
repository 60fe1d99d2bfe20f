// The side of Espalier in the tests with the real counterparts of its formats; counterparts.py is the other
// side and says what has to be equal.
//
//   counterparts write FORMAT FOLDER    writes files there that the counterpart reads
//   counterparts check FORMAT FOLDER    reads what the counterpart wrote there; prints what is wrong and
//   exits 1

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <espalier/espalier.h>

#include "tests/counterparts/onnx.h"

namespace espalier {
namespace {

using Folder = const std::filesystem::path&;

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {{}, {3}, {0, 4}, {2, 3, 5}};
  return all;
}

/// The bytes that every tensor of the tests has, in row-major order: 1, 8, 15, ...; bools go false, true,
/// false.
unsigned char pattern(size_t i, Dtype dtype) {
  return static_cast<unsigned char>(dtype == Dtype::boolean ? i % 2 : i * 7 + 1);
}

size_t bytes_of(const Tensor& tensor) {
  return static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype());
}

Tensor patterned(const Shape& shape, Dtype dtype) {
  Tensor tensor = empty(shape, dtype);
  auto* const bytes = static_cast<unsigned char*>(tensor.raw_data());
  for (size_t i = 0; i < bytes_of(tensor); ++i) bytes[i] = pattern(i, dtype);
  return tensor;
}

void check_patterned(const Tensor& found, const Shape& shape, Dtype dtype, const std::string& name) {
  const Tensor expected = patterned(shape, dtype);
  require(describe(found) == describe(expected), name + " is " + describe(found));
  const Tensor rows = contiguous(found);
  require(bytes_of(rows) == 0 || std::memcmp(rows.raw_data(), expected.raw_data(), bytes_of(rows)) == 0,
          name + " has other elements");
}

/// `f32-1`: type and number of the shape.
std::string name_of(Dtype dtype, size_t shape) {
  return std::string(to_string(dtype)) + "-" + std::to_string(shape);
}

template <class F>
void for_each_sample(F&& f) {
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    for (size_t s = 0; s < shapes().size(); ++s) f(name_of(dtype, s), shapes()[s], dtype);
  }
}

bool in_numpy(Dtype dtype) {
  return dtype != Dtype::bf16 && dtype != Dtype::f8_e4m3 && dtype != Dtype::f8_e5m2;
}

void write_safetensors(Folder folder) {
  std::map<std::string, Tensor> tensors;
  for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
    tensors[name] = patterned(shape, dtype);
  });
  io::save_safetensors(folder / "ours.safetensors", tensors,
                       {{"made by", "Espalier \xe2\x80\x9cquoted\xe2\x80\x9d"}});
}

void check_safetensors(Folder folder) {
  const io::Safetensors file = io::load_safetensors(folder / "theirs.safetensors");
  require(file.metadata.at("made by") == "safetensors \xe2\x80\x9cquoted\xe2\x80\x9d", "metadata differ");
  size_t count = 0;
  for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
    check_patterned(file.tensors.at(name), shape, dtype, name);
    ++count;
  });
  require(file.tensors.size() == count, "there are tensors besides");
  // What the package makes of NumPy's arrays.
  for (const auto& [name, tensor] : io::load_safetensors(folder / "numpy.safetensors").tensors)
    check_patterned(tensor, file.tensors.at(name).shape(), file.tensors.at(name).dtype(), name);
}

void write_npy(Folder folder) {
  for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
    if (in_numpy(dtype)) io::save_npy(folder / (name + ".npy"), patterned(shape, dtype));
  });
}

/// Files of each way to write an array: little and big endian, C and Fortran order, versions 1 to 3.
void check_npy(Folder folder) {
  size_t count = 0;
  for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
    for (const char* const way : {"little", "big", "fortran", "version2", "version3"}) {
      const std::filesystem::path path = folder / (name + "-" + way + ".npy");
      if (!std::filesystem::exists(path)) continue;
      check_patterned(io::load_npy(path), shape, dtype, path.filename().string());
      ++count;
    }
  });
  require(count == 12 * shapes().size() * 5, std::to_string(count) + " files of NumPy's were found");
}

void write_npz(Folder folder) {
  std::map<std::string, Tensor> tensors;
  for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
    if (in_numpy(dtype)) tensors[name] = patterned(shape, dtype);
  });
  io::save_npz(folder / "stored.npz", tensors);
  io::save_npz(folder / "compressed.npz", tensors, {.compress = true});
}

void check_npz(Folder folder) {
  for (const char* const file : {"savez.npz", "savez_compressed.npz"}) {
    const std::map<std::string, Tensor> tensors = io::load_npz(folder / file);
    size_t count = 0;
    for_each_sample([&](const std::string& name, const Shape& shape, Dtype dtype) {
      if (!in_numpy(dtype)) return;
      check_patterned(tensors.at(name), shape, dtype, name);
      ++count;
    });
    require(tensors.size() == count, "there are arrays besides");
  }
}

void write_events(Folder folder) {
  const std::vector<double> elements = {0, -3, -3, 0.25, 1e-13, 1e30, 7, 7, 7, -1e-5};
  const auto log = [&](io::EventFile& events, int64_t start, int64_t stop, double run) {
    for (int64_t step = start; step < stop; ++step) {
      events.add_scalar("train/loss", run / (1.0 + static_cast<double>(step)), step);
      if (step % 100 == 0) {
        events.add_histogram("weights", from_values(elements, {2, 5}), step);
        events.add_text(
            "notes", "step **" + std::to_string(step) + "** \xe2\x80\x93 run " + std::to_string(run), step);
      }
    }
  };
  constexpr double kInf = std::numeric_limits<double>::infinity();
  io::save_npy(folder / "weights.npy", from_values(elements, {2, 5}));
  {
    io::EventFile events(folder / "run");
    log(events, 0, 1500, 1);
  }
  {
    // Resumed at the checkpoint of step 1000.
    io::EventFile events(folder / "run", 1000);
    log(events, 1000, 2000, 2);
    events.add_scalar("special", kInf, 0);
    events.add_scalar("special", -kInf, 1);
    events.add_scalar("special", std::numeric_limits<double>::quiet_NaN(), 2);
    events.add_scalar("special", 4, int64_t{1} << 40);
  }
  io::EventFile edges(folder / "edges");
  edges.add_histogram("broken", from_values<float>({1, static_cast<float>(kInf), -1}, {3}), 0);
  edges.add_histogram("nothing", zeros({0}), 0);
  edges.add_histogram("zeros", zeros({8}), 0);
  edges.add_histogram("i8", from_values<int8_t>({-128, 127, 5}, {3}), 0);
  edges.add_text("cut", "\xe2\x82", 0);
}

void write_metrics(Folder folder) {
  for (const char* const name : {"metrics.csv", "metrics.jsonl"}) {
    io::MetricsLog log(folder / name);
    for (int64_t step = 0; step < 100; ++step)
      log.add(step, {{"a \"b\", c", 1 / (3.0 + static_cast<double>(step))}, {"\xe2\x80\x93", -1e300}});
    log.add(100, {{"\xe2\x80\x93", std::numeric_limits<double>::quiet_NaN()}});
    log.add(101, {{"\xe2\x80\x93", -std::numeric_limits<double>::infinity()}});
  }
}

void write_trace(Folder folder) {
  start_profiler();
  {
    Span outer("outer \"quoted\" \xe2\x80\x93");
    outer.argument("shape", "f32[2, 3]");
    const Span inner("inner");
    std::thread([] { const Span other("other thread"); }).join();
    copy(zeros({2, 3}));
  }
  stop_profiler();
  write_profile_trace(folder / "trace.json");
}

/// Pairs of images in images.npz and what they became in resized.npz.
void write_resize(Folder folder) {
  struct Case {
    Shape shape;
    int64_t height, width;  // without a width: middle_square() of the height
  };
  const std::vector<Case> cases = {{{3, 47, 61}, 20, 32}, {{1, 47, 61}, 7, 90}, {{3, 20, 31}, 53, 64},
                                   {{3, 200, 150}, 1, 1}, {{1, 9, 9}, 9, 9},    {{3, 90, 121}, 32, 0},
                                   {{1, 64, 17}, 40, 0}};
  std::map<std::string, Tensor> images, resized;
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto& [shape, height, width] = cases[i];
    Tensor bytes = empty(shape, Dtype::u8);
    // A pattern without a period and with every value.
    for (int64_t k = 0; k < bytes.numel(); ++k)
      static_cast<uint8_t*>(bytes.raw_data())[k] = static_cast<uint8_t>(k * k * 7919 % 65521 >> 3);
    for (const Tensor& image : {bytes, cast(bytes, Dtype::f32)}) {
      const std::string name = (width ? "resize-" : "middle-") + name_of(image.dtype(), i);
      images[name] = image;
      resized[name] = width ? data::resize(image, height, width) : data::middle_square(image, height);
    }
  }
  io::save_npz(folder / "images.npz", images);
  io::save_npz(folder / "resized.npz", resized);
}

/// A further format is a line in formats(), one in counterparts.py's FORMATS and a word in CMakeLists.txt.
struct Format {
  std::function<void(Folder)> write, check;
};

const std::map<std::string, Format>& formats() {
  static const std::map<std::string, Format> all = {
      {"safetensors", {write_safetensors, check_safetensors}},
      {"npy", {write_npy, check_npy}},
      {"npz", {write_npz, check_npz}},
      {"events", {write_events, {}}},
      {"metrics", {write_metrics, {}}},
      {"trace", {write_trace, {}}},
      {"resize", {write_resize, {}}},
      {"onnx", {write_onnx_models, {}}},
      {"onnx_read", {{}, check_onnx_models}},
  };
  return all;
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() != 3) throw std::runtime_error("usage: counterparts write|check FORMAT FOLDER");
    const espalier::Format& format = espalier::formats().at(arguments[1]);
    (arguments[0] == "write" ? format.write : format.check)(arguments[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
