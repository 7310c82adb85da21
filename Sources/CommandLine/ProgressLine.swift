/// How far long work has come: one line that renews itself on a terminal, plain lines in a pipe.
package struct ProgressLine {
  private let terminal: Terminal
  private let sink: (String) -> Void
  private var isOpen = false

  /// `sink` takes raw text, usually for the error stream.
  package init(_ terminal: Terminal, sink: @escaping (String) -> Void) {
    self.terminal = terminal
    self.sink = sink
  }

  /// What is going on right now. On a terminal it replaces the last one; a pipe is not told.
  package mutating func show(_ text: String) {
    if !terminal.isTerminal { return }
    sink("\r\u{1B}[2K" + String(text.prefix(max(10, terminal.width - 1))))
    isOpen = true
  }

  /// Something that is done: a line that stays.
  package mutating func say(_ text: String) {
    end()
    sink(text + "\n")
  }

  /// Takes the renewing line away.
  package mutating func end() {
    if isOpen { sink("\r\u{1B}[2K") }
    isOpen = false
  }
}
