import CommandLine
import Diagnostics
import Engine
import Formats
import Foundation
import Records

/// All that quarantine has of one event.
struct QuarantineDetail {
  /// So much of an original a terminal gets.
  private static let bytesOnTerminal = 4096

  let event: QuarantinedRecord
  let settlements: [SettlementRecord]
  let session: Session

  func write(isHexadecimal: Bool) {
    if session.isJSON { return session.output.write(json.description + "\n") }
    line("reason", event.reason)
    line("message", event.message)
    line("place", event.place)
    line("input", event.input)
    line("source", "\(event.topic), partition \(event.partition), offset \(event.sourceOffset)")
    line("recorded", event.recorded)
    line("time", event.time?.description ?? "")
    if let journal = event.journal, let position = event.position {
      line("journaled", "\(journal), at \(position) (partition-block-index); its id is remembered")
    } else {
      line("journaled", "no: it had no key, or its product has no journal")
    }
    if let extent = event.extent { line("failed", extent.meaning) }
    for settlement in settlements {
      line(
        settlement.result == .discarded ? "discarded" : "released",
        "\(settlement.recorded), journal \(settlement.journal) at \(settlement.position): "
          + settlement.result.text)
    }
    if settlements.isEmpty { line("state", "open") }
    if event.isCut {
      line("original", "cut: it was too large for quarantine; this is its beginning")
      line("length", event.length.map(String.init) ?? "")
      line("sha256", event.sha256 ?? "")
    }
    line("key", event.key == nil ? "(null)" : event.keyText)
    original(isHexadecimal)
  }

  private func line(_ name: String, _ text: String) {
    if text.isEmpty { return }
    let fill = String(repeating: " ", count: max(0, 10 - name.count))
    session.output.write("\(name)\(fill)  \(DisplayText.printable(text))\n")
  }

  private func original(_ isHexadecimal: Bool) {
    guard let value = event.value else { return line("value", "(null)") }
    if value.isEmpty { return line("value", "(empty)") }
    let isTerminal = session.terminal.isTerminal
    let shown = isTerminal ? value.prefix(QuarantineDetail.bytesOnTerminal) : value[...]
    line("value", "\(value.count) bytes")
    let text = isHexadecimal ? nil : String(validating: value, as: UTF8.self)
    if let text, !text.unicodeScalars.contains(where: { $0.value == 0 }) {
      let part = isTerminal ? String(text.prefix(QuarantineDetail.bytesOnTerminal)) : text
      session.output.write(DisplayText.printable(part, keepingLineBreaks: true) + "\n")
    } else {
      session.output.write(Hexadecimal.dump(shown))
    }
    if shown.count < value.count {
      session.say("its first \(shown.count) bytes; a pipe or --format json gets all of it")
    }
  }

  private var json: JSONValue {
    var members = event.members
    let text = event.value.flatMap { String(validating: $0, as: UTF8.self) }
    members += [
      .init("value", text.map { .string($0) } ?? .null),
      .init(
        "bytes", event.value.map { .string(Data($0).base64EncodedString()) } ?? .null),
      .init("cut", .bool(event.isCut)),
      .init("length", event.length.map { .integer($0) } ?? .null),
      .init("sha256", event.sha256.map { .string($0) } ?? .null),
      .init("settlements", .array(settlements.map(\.json))),
    ]
    return .object(members)
  }
}

extension SettlementRecord {
  var json: JSONValue {
    .members([
      "position": .integer(settles), "result": .string(result.rawValue),
      "journal": .string(journal), "journalPosition": .string(position),
      "recorded": .string(recorded),
    ])
  }
}

extension Extent {
  /// For people.
  fileprivate var meaning: String {
    switch self {
    case .event: "all of it"
    case .journal: "what this journal makes of it; others have it"
    case .handed: "what this journal makes of it, to which another one has handed it on"
    case .identity: "what had waited for a link; all else of it was applied"
    }
  }
}

/// Bytes as sixteen a line: where, in hexadecimal digits, and as letters where they are some.
enum Hexadecimal {
  static func dump(_ bytes: ArraySlice<UInt8>) -> String {
    var text = ""
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let line = bytes[start..<min(start + 16, bytes.endIndex)]
      let digits = line.map { Hexadecimal.digits($0, 2) }.joined(separator: " ")
      let letters = line.map { (0x20..<0x7F).contains($0) ? String(UnicodeScalar($0)) : "." }
      let fill = String(repeating: " ", count: 47 - digits.count)
      text += "\(Hexadecimal.digits(start - bytes.startIndex, 8))  \(digits)\(fill)  "
      text += letters.joined() + "\n"
      start += 16
    }
    return text
  }

  private static func digits(_ number: some BinaryInteger, _ width: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
