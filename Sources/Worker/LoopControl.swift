import Dispatch
import Synchronization

/// How other threads reach a loop: they ask it to stop, and end its waiting.
package final class LoopControl: Sendable {
  private let stopping = Atomic<Bool>(false)
  private let wake = Mutex<(@Sendable () -> Void)?>(nil)
  private let pauses = DispatchSemaphore(value: 0)
  private let ended = Mutex(false)
  private let end = DispatchGroup()

  package init() { end.enter() }

  package var isStopping: Bool { stopping.load(ordering: .relaxed) }

  /// Asks the loop to finish its turn and leave. From any thread, any number of times.
  package func stop() {
    stopping.store(true, ordering: .relaxed)
    pauses.signal()
    wake.withLock { $0?() }
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
