#pragma once
#include <string_view>
namespace espalier { struct Span { explicit Span(std::string_view){} ~Span(){} }; }
