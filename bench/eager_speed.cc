// The worker of bench/eager_speed.py, which times single operations here and in PyTorch in turns:
//
//   eager_speed THREADS
//
// Prints the names of its cases, one a line, and an empty line; then answers each line `CASE SECONDS` of its
// input with the median time of a call in microseconds. A name is `operation shape`; all operands are f32
// unless the operation says otherwise, filled with normal random numbers.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

namespace {

struct Case {
  std::string name;
  std::function<std::function<Tensor()>()> make;  ///< makes the operands, and what is timed
};

using Unary = Tensor (*)(const Tensor&);

Case unary(const std::string& name, const Shape& shape, Unary f, bool transposed = false) {
  return {name, [=] {
            Tensor x = normal(shape);
            if (transposed) x = transpose(x, 0, 1);
            return [=] { return f(x); };
          }};
}

/// Two operands of shapes that broadcast.
Case binary(const std::string& name, const Shape& a, const Shape& b,
            const std::function<Tensor(const Tensor&, const Tensor&)>& f, bool transposed = false) {
  return {name, [=] {
            const Tensor x = normal(a);
            Tensor y = normal(b);
            if (transposed) y = transpose(y, 0, 1);
            return [=] { return f(x, y); };
          }};
}

Case product(const std::string& name, const Shape& a, const Shape& b, bool transposed = false) {
  return binary(name, a, b, [](const Tensor& x, const Tensor& y) { return matmul(x, y); }, transposed);
}

Case convolution(const std::string& name, const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  return {name, [=] {
            const Tensor images = channels_last(normal(x)), filters = normal(weight),
                         bias = normal({weight[0]});
            return [=] { return conv2d(images, filters, bias, options); };
          }};
}

Case attend(const std::string& name, const Shape& shape) {
  return {name, [=] {
            const Tensor q = normal(shape), k = normal(shape), v = normal(shape);
            return [=] { return attention(q, k, v, {.causal = Causal::upper_left}); };
          }};
}

void elementwise_cases(std::vector<Case>& cases) {
  const auto plus = [](const Tensor& x, const Tensor& y) { return x + y; };
  const auto times = [](const Tensor& x, const Tensor& y) { return x * y; };
  cases.push_back(binary("add 64", {64}, {64}, plus));
  cases.push_back(binary("add 256x1024", {256, 1024}, {256, 1024}, plus));
  cases.push_back(binary("add 4096x1024", {4096, 1024}, {4096, 1024}, plus));
  cases.push_back(binary("add row 1024x1024", {1024, 1024}, {1024}, plus));
  cases.push_back(binary("add column 1024x1024", {1024, 1024}, {1024, 1}, plus));
  cases.push_back(binary("add transposed 1024x1024", {1024, 1024}, {1024, 1024}, plus, true));
  cases.push_back(binary("multiply 64", {64}, {64}, times));
  cases.push_back(binary("multiply 1024x1024", {1024, 1024}, {1024, 1024}, times));
  cases.push_back(binary("divide 256x1024", {256, 1024}, {256, 1024},
                         [](const Tensor& x, const Tensor& y) { return x / y; }));
  cases.push_back(binary("maximum 256x1024", {256, 1024}, {256, 1024},
                         [](const Tensor& x, const Tensor& y) { return maximum(x, y); }));
  cases.push_back(binary("less 256x1024", {256, 1024}, {256, 1024},
                         [](const Tensor& x, const Tensor& y) { return x < y; }));
  cases.push_back({"where 256x1024", [] {
                     const Tensor x = normal({256, 1024}), y = normal({256, 1024}), seen = x < y;
                     return [=] { return where(seen, x, y); };
                   }});
  cases.push_back(unary("clamp 256x1024", {256, 1024}, [](const Tensor& x) { return clamp(x, -1.0, 1.0); }));
  cases.push_back(unary("square 256x1024", {256, 1024}, [](const Tensor& x) { return power(x, 2); }));
  cases.push_back(unary("relu 64", {64}, relu));
  cases.push_back(unary("relu 1024x1024", {1024, 1024}, relu));
  cases.push_back(unary("gelu 768x512", {768, 512}, gelu));
  cases.push_back(unary("silu 768x512", {768, 512}, silu));
  cases.push_back(unary("exp 64", {64}, exp));
  cases.push_back(unary("exp 1024x1024", {1024, 1024}, exp));
  cases.push_back(unary("exp transposed 1024x1024", {1024, 1024}, exp, true));
  cases.push_back(unary("log 256x1024", {256, 1024}, log));
  cases.push_back(unary("tanh 256x1024", {256, 1024}, tanh));
  cases.push_back(unary("sigmoid 256x1024", {256, 1024}, sigmoid));
  cases.push_back(unary("sin 256x1024", {256, 1024}, sin));
  cases.push_back(unary("erf 256x1024", {256, 1024}, erf));
  cases.push_back(unary("sqrt 256x1024", {256, 1024}, sqrt));
}

void reduction_cases(std::vector<Case>& cases) {
  cases.push_back(unary("sum all 64", {64}, [](const Tensor& x) { return sum(x); }));
  cases.push_back(unary("sum all 1024x1024", {1024, 1024}, [](const Tensor& x) { return sum(x); }));
  cases.push_back(unary("sum rows 1024x1024", {1024, 1024}, [](const Tensor& x) { return sum(x, {1}); }));
  cases.push_back(unary("sum columns 1024x1024", {1024, 1024}, [](const Tensor& x) { return sum(x, {0}); }));
  cases.push_back(unary("mean rows 8192x64", {8192, 64}, [](const Tensor& x) { return mean(x, {1}); }));
  cases.push_back(unary("max rows 1024x1024", {1024, 1024}, [](const Tensor& x) { return max(x, {1}); }));
  cases.push_back(unary("argmax 1024x1000", {1024, 1000}, [](const Tensor& x) { return argmax(x, 1); }));
  cases.push_back(
      unary("variance 1024x1024", {1024, 1024}, [](const Tensor& x) { return variance(x, {1}); }));
  cases.push_back(
      unary("logsumexp 1024x1024", {1024, 1024}, [](const Tensor& x) { return logsumexp(x, {1}); }));
  cases.push_back(unary("cumsum 512x1024", {512, 1024}, [](const Tensor& x) { return cumsum(x, 1); }));
  cases.push_back(unary("sort 256x1024", {256, 1024}, [](const Tensor& x) { return sort(x, 1).values; }));
  cases.push_back(unary("topk 256x1024", {256, 1024}, [](const Tensor& x) { return topk(x, 8, 1).values; }));
  cases.push_back(unary("softmax 32x10", {32, 10}, [](const Tensor& x) { return softmax(x, 1); }));
  cases.push_back(unary("softmax 1024x1024", {1024, 1024}, [](const Tensor& x) { return softmax(x, 1); }));
  cases.push_back(unary("log_softmax 768x65", {768, 65}, [](const Tensor& x) { return log_softmax(x, 1); }));
  cases.push_back({"layer_norm 768x512", [] {
                     const Tensor x = normal({768, 512}), weight = normal({512}), bias = normal({512});
                     return [=] { return layer_norm(x, {512}, weight, bias, 1e-5); };
                   }});
  cases.push_back({"cross_entropy 768x65", [] {
                     const Tensor x = normal({768, 65}), y = random_integers({768}, 0, 65);
                     return [=] { return cross_entropy(x, y); };
                   }});
}

void product_cases(std::vector<Case>& cases) {
  cases.push_back(product("matmul 32x64x64", {32, 64}, {64, 64}));
  cases.push_back(product("matmul 512x512x512", {512, 512}, {512, 512}));
  cases.push_back(product("matmul transposed 512x512x512", {512, 512}, {512, 512}, true));
  cases.push_back(product("matmul batched 48x64x32x64", {48, 64, 32}, {48, 32, 64}));
  cases.push_back(product("matmul vector 1024x1024", {1024, 1024}, {1024}));
  cases.push_back({"linear 1x784x1024", [] {
                     const Tensor x = normal({1, 784}), weight = normal({1024, 784}), bias = normal({1024});
                     return [=] { return linear(x, weight, bias); };
                   }});
  cases.push_back({"linear 768x128x512", [] {
                     const Tensor x = normal({768, 128}), weight = normal({512, 128}), bias = normal({512});
                     return [=] { return linear(x, weight, bias); };
                   }});
  cases.push_back(convolution("conv2d 1x16x32x32", {1, 16, 32, 32}, {16, 16, 3, 3}, {.padding = 1}));
  cases.push_back(convolution("conv2d 16x64x32x32", {16, 64, 32, 32}, {128, 64, 3, 3}, {.padding = 1}));
  cases.push_back(convolution("conv2d depthwise 16x64x32x32", {16, 64, 32, 32}, {64, 1, 3, 3},
                              {.padding = 1, .groups = 64}));
  cases.push_back({"max_pool2d 16x64x32x32", [] {
                     const Tensor x = channels_last(normal({16, 64, 32, 32}));
                     return [=] { return max_pool2d(x, 2); };
                   }});
  cases.push_back(attend("attention 12x4x64x32", {12, 4, 64, 32}));
  cases.push_back(attend("attention 4x6x256x64", {4, 6, 256, 64}));
}

void movement_cases(std::vector<Case>& cases) {
  cases.push_back({"embedding 768 of 65x128", [] {
                     const Tensor weights = normal({65, 128}), index = random_integers({12, 64}, 0, 65);
                     return [=] { return embedding(weights, index); };
                   }});
  cases.push_back({"gather 1024x1024", [] {
                     const Tensor x = normal({1024, 1024}), index = random_integers({1024, 1024}, 0, 1024);
                     return [=] { return gather(x, 1, index); };
                   }});
  cases.push_back({"concat 2x512x1024", [] {
                     const Tensor x = normal({512, 1024}), y = normal({512, 1024});
                     return [=] { return concat({x, y}, 1); };
                   }});
  cases.push_back({"copy transposed 1024x1024", [] {
                     const Tensor x = transpose(normal({1024, 1024}), 0, 1);
                     return [=] { return contiguous(x); };
                   }});
  cases.push_back({"dropout 768x512", [] {
                     const Tensor x = normal({768, 512});
                     return [=] { return dropout(x, 0.1); };
                   }});
}

double median_time(const std::function<Tensor()>& call, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  call();
  // Calls are timed in bundles of about 20 microseconds, next to which reading the clock is nothing.
  const auto first = Clock::now();
  call();
  const int bundle = static_cast<int>(std::clamp(20e-6 / std::max(since(first), 1e-8), 1.0, 1000.0));
  std::vector<double> times;
  while (since(begin) < seconds || times.size() < 3) {
    const auto start = Clock::now();
    for (int i = 0; i < bundle; ++i) call();
    times.push_back(since(start) / bundle);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return 1e6 * times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw ValueError("eager_speed", "expected the number of threads");
  set_num_threads(std::atoi(argv[1]));
  manual_seed(1);
  const NoGrad no_grad;
  std::vector<Case> cases;
  elementwise_cases(cases);
  reduction_cases(cases);
  product_cases(cases);
  movement_cases(cases);
  for (const Case& one : cases) std::cout << one.name << '\n';
  std::cout << '\n' << std::flush;
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t space = line.rfind(' ');
    const auto found = std::find_if(cases.begin(), cases.end(),
                                    [&](const Case& one) { return one.name == line.substr(0, space); });
    if (space == std::string::npos || found == cases.end())
      throw ValueError("eager_speed", "no case in line '" + line + "'");
    std::cout << median_time(found->make(), std::atof(line.c_str() + space)) << '\n' << std::flush;
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
