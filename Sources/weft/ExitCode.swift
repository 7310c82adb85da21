/// How a command ends, for scripts.
enum ExitCode: Int32 {
  case ok = 0
  /// Files, tests or a change were refused.
  case rejected = 1
  case usage = 2
  /// Fenced by another instance, or stopped by policy.
  case stopped = 3
  /// The broker, the disk or Weft itself failed.
  case failed = 4
}
