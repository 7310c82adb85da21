import Dispatch
import Synchronization

/// How other threads reach a loop: they ask it to stop, and end its waiting.
package final class LoopControl: Sendable {
  private let stopping = Atomic<Bool>(false)
  /// Of the monotonic clock; 0 before.
  private let stoppedAtMs = Atomic<Int64>(0)
  private let wake = Mutex<(@Sendable () -> Void)?>(nil)
  private let pauses = DispatchSemaphore(value: 0)
  private let ended = Mutex(false)
  private let end = DispatchGroup()

  package init() { end.enter() }

  package var isStopping: Bool { stopping.load(ordering: .relaxed) }

  /// Asks the loop to finish its turn and leave. From any thread, any number of times.
  package func stop() {
    _ = stoppedAtMs.compareExchange(
      expected: 0, desired: Clock.monotonicMs(), ordering: .relaxed)
    stopping.store(true, ordering: .relaxed)
    pauses.signal()
    wake.withLock { $0?() }
  }

  /// Milliseconds since it was first asked to stop.
  var sinceStopMs: Int64 {
    let at = stoppedAtMs.load(ordering: .relaxed)
    return at == 0 ? 0 : Clock.monotonicMs() - at
  }

  /// What ends the loop's waiting from another thread.
  func setWake(_ wake: (@Sendable () -> Void)?) {
    self.wake.withLock { $0 = wake }
    if isStopping { wake?() }
  }

  /// Waits between two tries; a stop ends it.
  func pause(milliseconds: Int) { _ = pauses.wait(timeout: .now() + .milliseconds(milliseconds)) }

  func markEnded() {
    let isFirst = ended.withLock { hasEnded in
      defer { hasEnded = true }
      return !hasEnded
    }
    if isFirst { end.leave() }
  }

  /// Whether the loop had ended by then.
  package func waitForEnd(milliseconds: Int) -> Bool {
    end.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
  }
}
