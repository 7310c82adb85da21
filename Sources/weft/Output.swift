import Foundation
import Glibc
import Synchronization

/// Standard output or error: buffered, safe from any thread, and quiet when the reader has gone.
///
/// Output into a pipe is written in blocks; ``flush()`` before waiting for something, and at the
/// end.
final class Output: Sendable {
  private static let bufferBytesMax = 1 << 16

  private struct State {
    var buffer: [UInt8] = []
    var isClosed = false
    var failure: String?
  }
  private let state = Mutex(State())
  private let handle: FileHandle
  /// Whether every text goes out at once.
  private let isDirect: Bool

  init(_ handle: FileHandle, isDirect: Bool) {
    self.handle = handle
    self.isDirect = isDirect
  }

  /// The reader has gone, as `head` does: there is no use in going on.
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Why writing failed, if it did and not because the reader went away: a full disk.
  var failure: String? { state.withLock { $0.failure } }

  func write(_ text: String) {
    state.withLock { state in
      if state.isClosed { return }
      state.buffer.append(contentsOf: text.utf8)
      if isDirect || state.buffer.count >= Output.bufferBytesMax { drain(&state) }
    }
  }

  func flush() { state.withLock { drain(&$0) } }

  private func drain(_ state: inout State) {
    if state.buffer.isEmpty || state.isClosed { return }
    do {
      try handle.write(contentsOf: state.buffer)
    } catch {
      state.isClosed = true
      let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      let code = (cause ?? error as NSError).code
      if code != Int(EPIPE) {
        state.failure = POSIXErrorCode(rawValue: Int32(code)).map { "\($0)" } ?? "\(error)"
      }
    }
    state.buffer.removeAll(keepingCapacity: true)
  }
}
