import Diagnostics
import Expressions
import Formats
import Foundation
import Kafka
import Product
import Records

/// A record that was read, kept until it is shown.
struct ReadRecord {
  let partition: Int32
  let offset: Int64
  let timestampMs: Int64?
  let key: [UInt8]?
  let value: [UInt8]?
  let headers: [(name: String, value: String?)]

  /// Copies what the batch lends.
  init(_ batch: RecordBatch, _ index: Int) {
    partition = batch.partition(at: index).value
    offset = batch.offset(at: index).value
    timestampMs = batch.timestamp(at: index)
    key = batch.key(at: index)?.copied()
    value = batch.value(at: index)?.copied()
    var headers: [(name: String, value: String?)] = []
    var reader = batch.headers(at: index)
    while let header = reader.next() {
      headers.append((header.name.text, header.value?.text))
    }
    self.headers = headers
  }

  /// One object in a line. A value that is no JSON stands in `bytes`, in base64. `tape` is for
  /// looking at the value; it is kept between records.
  func json(_ tape: JSONTape) -> String {
    var members: [(name: String, value: String?)] = [
      ("key", ReadRecord.text(key)), ("value", nil), ("bytes", nil),
      ("partition", "\(partition)"), ("offset", "\(offset)"),
      (
        "timestamp",
        timestampMs.map { JSONText.string(Timestamp(milliseconds: $0).description) }
      ),
    ]
    if let value {
      if let document = ReadRecord.line(value, tape) {
        members[1].value = document
      } else {
        members[2].value = JSONText.string(Data(value).base64EncodedString())
      }
    } else {
      members[1].value = "null"
    }
    if !headers.isEmpty {
      members.append(
        (
          "headers",
          JSONText.object(headers.map { ($0.name, $0.value.map(JSONText.string) ?? "null") })
        ))
    }
    return JSONText.object(members)
  }

  /// The document itself, number texts and all, if it is JSON; white space is kept unless it would
  /// break the line.
  private static func line(_ value: [UInt8], _ tape: JSONTape) -> String? {
    ByteView.lending(value) { view in
      if tape.parse(view) != nil { return nil }
      return value.contains(0x0A) || value.contains(0x0D)
        ? JSONValue(tape, at: 0).description : String(decoding: value, as: UTF8.self)
    }
  }

  private static func text(_ key: [UInt8]?) -> String {
    key.map { JSONText.string(String(decoding: $0, as: UTF8.self)) } ?? "null"
  }

  var keyText: String { key.map { String(decoding: $0, as: UTF8.self) } ?? "" }
}

/// Records as rows of a table: by the contract's fields, or as they are.
struct RecordColumns {
  let fields: [ContractField]?
  let isQuarantine: Bool

  var titles: [(title: String, isNumber: Bool)] {
    if let fields {
      return fields.map { field in
        switch field.type {
        case .int, .uint, .double, .decimal: (field.name, true)
        default: (field.name, false)
        }
      }
    }
    return isQuarantine
      ? [
        ("offset", true), ("reason", false), ("message", false), ("place", false),
        ("source", false),
      ]
      : [("partition", true), ("offset", true), ("key", false), ("value", false)]
  }

  func cells(_ record: ReadRecord) -> [String] {
    if let fields {
      guard let value = record.value else { return ["(deleted) \(record.keyText)"] }
      let document = ByteView.lending(value) { try? JSONValue(parsing: $0) }
      guard let document, document.object != nil else {
        return [String(decoding: value, as: UTF8.self)]
      }
      return fields.map { RecordColumns.cell(document[$0.name]) }
    }
    if isQuarantine {
      func header(_ name: String) -> String {
        record.headers.last { $0.name == name }?.value.flatMap(\.self) ?? ""
      }
      if !header("weft_settles").isEmpty {
        return [
          "\(record.offset)", "", "\(header("weft_settles")): \(header("weft_result"))", "", "",
        ]
      }
      let source = [header("weft_topic"), header("weft_partition"), header("weft_offset")]
      return [
        "\(record.offset)", header("weft_reason"), header("weft_message"), header("weft_place"),
        source.filter { !$0.isEmpty }.joined(separator: "/"),
      ]
    }
    let value = record.value.map { String(decoding: $0, as: UTF8.self) } ?? "(tombstone)"
    return ["\(record.partition)", "\(record.offset)", record.keyText, value]
  }

  private static func cell(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null?: ""
    case .string(let text)?: text
    case .number(let text)?: text
    case .bool(let flag)?: flag ? "true" : "false"
    case let other?: other.description
    }
  }
}
