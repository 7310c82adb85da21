/// A moment by which a call must have ended, by a clock that nobody sets.
package struct Deadline: Sendable {
  private let instant: ContinuousClock.Instant

  /// `milliseconds` from now.
  package static func after(milliseconds: Int) -> Deadline {
    Deadline(instant: ContinuousClock.now.advanced(by: .milliseconds(milliseconds)))
  }

  /// The earlier one of this and `milliseconds` from now.
  package func atMost(milliseconds: Int) -> Deadline {
    let other = Deadline.after(milliseconds: milliseconds)
    return other.instant < instant ? other : self
  }

  package var hasPassed: Bool { instant <= ContinuousClock.now }

  /// What is left, rounded up, never below 0, at most a day: what librdkafka takes as a time-out.
  package var millisecondsLeft: Int32 {
    let left = ContinuousClock.now.duration(to: instant).components
    if left.seconds < 0 || left.attoseconds < 0 { return 0 }
    let milliseconds =
      left.seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(min(milliseconds, 86_400_000))
  }
}
