import Diagnostics
import Records

/// Where events become lines: logfmt for a terminal, JSON for machines.
///
/// Safe to use from any thread if the sink is; it blocks as long as the sink does, so the hot path
/// logs by turn, never by record. Cost: a few microseconds a line; an event below `level` is one
/// comparison.
package struct Log: Sendable {
  package enum Format: Sendable { case logfmt, json }

  package let format: Format
  /// Events below it are left out.
  package let level: LogLevel
  private let clock: @Sendable () -> Int64
  private let sink: @Sendable (String) -> Void

  /// `clock` gives milliseconds since 1970; `sink` takes one line without its line break.
  package init(
    format: Format, level: LogLevel = .info, clock: @escaping @Sendable () -> Int64,
    sink: @escaping @Sendable (String) -> Void
  ) {
    self.format = format
    self.level = level
    self.clock = clock
    self.sink = sink
  }

  package func write<Event: LogEvent>(_ event: Event) {
    let level = event.level
    if level < self.level { return }
    let head = [
      LogField("time", Timestamp(milliseconds: clock()).description),
      LogField("level", level.rawValue), LogField("event", Event.name),
      LogField("message", event.message),
    ]
    let fields = head + event.fields
    switch format {
    case .logfmt: sink(fields.map(Log.logfmt).joined(separator: " "))
    case .json: sink(JSONText.object(fields.map { ($0.name, Log.json($0)) }))
    }
  }

  private static func json(_ field: LogField) -> String {
    switch field.value {
    case .text(let text): JSONText.string(text)
    case .number(let number): number
    }
  }

  private static func logfmt(_ field: LogField) -> String {
    switch field.value {
    case .number(let number): return field.name + "=" + number
    case .text(let text):
      let isPlain =
        !text.isEmpty
        && text.utf8.allSatisfy {
          $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
      return field.name + "=" + (isPlain ? text : JSONText.string(text))
    }
  }
}
