#include "train/interrupt.h"

#include <atomic>
#include <csignal>

#include "core/error.h"

namespace espalier::training {
namespace {

// A handler has nothing but globals to talk to, and only lock-free ones.
std::atomic<bool> alive = false;
std::atomic<bool> signalled = false;
static_assert(std::atomic<bool>::is_always_lock_free);

/// What was there before.
struct sigaction previous_int, previous_term;

void on_signal(int) {
  signalled.store(true, std::memory_order_relaxed);
}

void handle(int signal, int flags, struct sigaction& previous) {
  sigaction(signal, nullptr, &previous);
  if (previous.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  if (alive.exchange(true))
    throw ValueError("Interrupt", "another one lives; one object serves all loops of a program");
  signalled = false;
  // With SA_RESETHAND the kernel itself puts back the default action for the second signal, without a gap.
  handle(SIGINT, SA_RESTART | static_cast<int>(SA_RESETHAND), previous_int);
  handle(SIGTERM, SA_RESTART, previous_term);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &previous_int, nullptr);
  sigaction(SIGTERM, &previous_term, nullptr);
  alive = false;
}

bool Interrupt::requested() const noexcept {
  return signalled.load(std::memory_order_relaxed);
}

}  // namespace espalier::training
