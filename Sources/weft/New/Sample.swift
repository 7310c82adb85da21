import Diagnostics
import Formats
import Foundation
import Product
import Records

/// Events from a file: one JSON object a line, alone or behind its Kafka key and a tab.
struct Sample {
  struct Event {
    /// From 1.
    let line: Int
    let key: String?
    let value: JSONValue
    func text(_ field: String) -> String? {
      switch value[field] {
      case .string(let text)?: text
      case .number(let text)?: text
      default: nil
      }
    }
  }

  /// No more lines than this are looked at.
  static let linesMax = 10_000

  let events: [Event]
  /// Lines that are no events, from 1.
  let broken: [Int]

  init(path: String) throws {
    let bytes: [UInt8]
    do {
      bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw Refusal(
        .unreadableFile, "the sample `\(path)` cannot be read",
        help: "give a file with one JSON object a line")
    }
    try self.init(SourceText(name: path, bytes: bytes))
  }

  /// - Throws: ``Refusal`` with the first lines that are no events.
  init(_ source: SourceText) throws {
    var events: [Event] = []
    var problems: [Diagnostic] = []
    for line in 0..<min(source.lineStarts.count, Sample.linesMax) {
      let text = source.text(ofLine: line)
      if text.allSatisfy(\.isWhitespace) { continue }
      let parts = text.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      let hasKey = parts.count == 2 && !text.hasPrefix("{")
      let json = String(hasKey ? parts[1] : Substring(text))
      let value = try? JSONValue(parsing: json)
      guard let value, value.object != nil else {
        let start = source.lineStarts[line]
        problems.append(
          Diagnostic(
            .badSampleLine, "this line is no JSON object",
            at: SourceSpan(source, start..<start + text.utf8.count),
            help: "one event a line, alone or behind its key and a tab"))
        continue
      }
      events.append(
        Event(line: line + 1, key: hasKey ? String(parts[0]) : nil, value: value))
    }
    if events.isEmpty || problems.count * 2 > events.count {
      if problems.isEmpty {
        throw Refusal(.emptySample, "the sample `\(source.name)` has no events")
      }
      throw Refusal(problems)
    }
    self.events = events
    broken = problems.compactMap(\.span).map { source.line(of: $0.range.lowerBound) + 1 }
  }

  /// What a product begins with when there is no sample.
  static let example = """
    {"eventId":"e1","type":"Placed","occurredAt":"2024-01-01T09:00:00Z","orderId":"o1",\
    "customer":"c1","amount":12.50}
    {"eventId":"e2","type":"Paid","occurredAt":"2024-01-01T09:05:00Z","orderId":"o1","paid":12.50}
    {"eventId":"e3","type":"Placed","occurredAt":"2024-01-01T10:00:00Z","orderId":"o2",\
    "customer":"c1","amount":7.25}
    """
}
