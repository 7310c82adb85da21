import Diagnostics

extension YAMLNode {
  /// Where the scalar's text stands in the file, byte for byte, so that what is found in it has a
  /// place: a block's lines without its `|`, what is between quotes without escapes, or all of it.
  /// A quoted text with escapes is a text of its own, named after the file and line.
  package var textSpan: SourceSpan? {
    guard case .scalar(let text, let style) = content else { return nil }
    let bytes = span.source.bytes
    switch style {
    case .plain: return span
    case .literal, .folded:
      var start = span.range.lowerBound
      while start < span.range.upperBound, bytes[start] != 0x0A { start += 1 }
      return SourceSpan(
        span.source, min(start + 1, span.range.upperBound)..<span.range.upperBound)
    case .singleQuoted, .doubleQuoted:
      let start = span.range.lowerBound + 1
      let inside = start..<max(start, span.range.upperBound - 1)
      if inside.upperBound <= bytes.count, bytes[inside].elementsEqual(text.utf8) {
        return SourceSpan(span.source, inside)
      }
      let line = span.source.place(of: span.range.lowerBound).line
      let derived = SourceText(
        name: "\(span.source.name):\(line) (quoted)", bytes: Array(text.utf8))
      return SourceSpan(derived, 0..<derived.bytes.count)
    }
  }
}
