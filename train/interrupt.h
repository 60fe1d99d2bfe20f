#pragma once

#include "core/export.h"

namespace espalier::training {

/// Lets a loop end in order when someone presses Ctrl-C or a scheduler of jobs ends the program: while it
/// lives, SIGINT and SIGTERM only set a flag. A second SIGINT ends the program at once, as it would without
/// this object. A signal that the program ignores (as shells have it for what they start in the background)
/// stays ignored. System calls that a signal interrupts are taken up again.
///
///   const training::Interrupt interrupt;
///   while (!interrupt.requested() && step < steps) ...
///   save(checkpoint);
///
/// The signals may arrive on any thread, and any thread may ask requested(). Whoever changes the handling of
/// these signals while it lives must change it back before it goes.
class ESPALIER_API Interrupt {
 public:
  /// Throws ValueError where another one lives.
  Interrupt();
  /// Puts back the handling of both signals that was there before.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether one of the signals has arrived since this object was made.
  bool requested() const noexcept;
};

}  // namespace espalier::training
