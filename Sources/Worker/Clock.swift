import Foundation

/// The clocks of a worker: the only place where time comes in.
enum Clock {
  /// Milliseconds since 1970 by the wall clock, which may be set.
  static func wallMs() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

  /// Milliseconds of a clock that nobody sets; only differences mean anything.
  static func monotonicMs() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }

  static func monotonicMicroseconds() -> Int64 {
    Int64(DispatchTime.now().uptimeNanoseconds / 1000)
  }
}
