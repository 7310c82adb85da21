/// One thing that is wrong, told to a person: what, where, and what to do about it.
///
/// The message stands alone: lower case, no full stop, names in backticks. A note states a fact,
/// help is one concrete edit. Codes are permanent; ``DiagnosticCode`` has them all.
package struct Diagnostic: Sendable, Hashable {
  package enum Severity: String, Sendable { case error, warning }

  package var code: DiagnosticCode
  package var severity: Severity
  package var message: String
  /// Where; nil for what concerns no file, such as a broker that does not answer.
  package var span: SourceSpan?
  /// What stands beside the caret.
  package var label: String?
  package var notes: [String]
  package var help: String?

  package init(
    _ code: DiagnosticCode, _ message: String, at span: SourceSpan? = nil, label: String? = nil,
    notes: [String] = [], help: String? = nil, severity: Severity = .error
  ) {
    self.code = code
    self.severity = severity
    self.message = message
    self.span = span
    self.label = label
    self.notes = notes
    self.help = help
  }
}

/// A permanent code such as `W0203`. W01 syntax and names of files, W02 fields and types, W03
/// transform and expressions, W04 Kafka, W05 running, W06 state, W07 compatibility, W08 the command
/// line.
package struct DiagnosticCode: Sendable, Hashable {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// A text with a name, for messages: usually a file, and its path as the user would write it.
package final class SourceText: Sendable {
  package let name: String
  package let bytes: [UInt8]
  /// Where each line begins, in bytes.
  package let lineStarts: [Int]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    var starts = [0]
    for (index, byte) in bytes.enumerated() where byte == 0x0A { starts.append(index + 1) }
    lineStarts = starts
  }

  /// The line (from 0) that holds the byte at `offset`.
  package func line(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// Line and column for people: from 1, the column in Unicode scalars.
  package func place(of offset: Int) -> (line: Int, column: Int) {
    let line = line(of: offset)
    let scalars = bytes[lineStarts[line]..<min(offset, bytes.count)].count { $0 & 0xC0 != 0x80 }
    return (line + 1, scalars + 1)
  }

  /// The text of a line (from 0), without its line break.
  package func text(ofLine line: Int) -> String {
    let end = line + 1 < lineStarts.count ? lineStarts[line + 1] - 1 : bytes.count
    var slice = bytes[lineStarts[line]..<max(lineStarts[line], end)]
    if slice.last == 0x0D { slice.removeLast() }
    return String(decoding: slice, as: UTF8.self)
  }
}

/// A stretch of a text, in bytes.
package struct SourceSpan: Sendable, Hashable {
  package let source: SourceText
  package let range: Range<Int>

  package init(_ source: SourceText, _ range: Range<Int>) {
    self.source = source
    self.range = range
  }

  package static func == (left: SourceSpan, right: SourceSpan) -> Bool {
    left.source === right.source && left.range == right.range
  }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(source))
    hasher.combine(range)
  }
}
