#pragma once

#include <exception>
#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace espalier::test {

/// What the E that `call` throws says. The test fails where it throws another error, or none, or more than
/// one line. Unlike gmock's ThrowsMessage it makes no matcher of a type of its own for each call, which
/// compiles slowly.
template <typename E>
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const E& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    return message;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error";
  return "";
}

/// The same without the place that errors begin with, "[where] ".
template <typename E>
std::string problem_of(const std::function<void()>& call) {
  const std::string message = message_of<E>(call);
  const size_t end = message.find("] ");
  return message.starts_with('[') && end != message.npos ? message.substr(end + 2) : message;
}

}  // namespace espalier::test
