import Glibc

/// What stands at the other end of a file descriptor. The room's one face to C: `isatty` and the
/// window's size are questions that only libc answers.
package struct Terminal: Sendable {
  package let isTerminal: Bool
  /// Columns; 80 where nobody says.
  package let width: Int
  /// A terminal, and neither `NO_COLOR` nor `TERM=dumb` asks for plain text.
  package let hasColours: Bool

  /// A terminal as told, for tests.
  package init(isTerminal: Bool, width: Int = 80, hasColours: Bool = false) {
    self.isTerminal = isTerminal
    self.width = width
    self.hasColours = hasColours
  }

  /// Asks the system about a descriptor (1: output, 2: errors).
  package init(fileDescriptor: Int32, environment: [String: String]) {
    isTerminal = isatty(fileDescriptor) == 1
    hasColours =
      isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    var size = winsize()
    let asked = unsafe ioctl(fileDescriptor, UInt(TIOCGWINSZ), &size)
    if asked == 0, size.ws_col > 0 {
      width = Int(size.ws_col)
    } else {
      width = environment["COLUMNS"].flatMap(Int.init) ?? 80
    }
  }
}
