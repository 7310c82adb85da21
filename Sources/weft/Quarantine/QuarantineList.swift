import CommandLine
import Diagnostics
import Engine
import Formats
import Mesh
import Records

/// What lies in quarantine, as a table or one object a line.
struct QuarantineList {
  private let session: Session
  private let limit: Int
  /// Whether `limit` is only there to spare a person a flood.
  private let isLimitGuessed: Bool
  private let isOldestFirst: Bool
  private var rows: [(product: String, event: QuarantinedRecord, standing: String)] = []
  private var counts: [Count] = []

  /// Of one reason of one product.
  private struct Count {
    let product: String
    let reason: String
    var open = 0
    var released = 0
    var discarded = 0
  }

  init(_ session: Session, limit: Int?, isOldestFirst: Bool) {
    self.session = session
    self.isOldestFirst = isOldestFirst
    let isTable = session.terminal.isTerminal && !session.isJSON
    isLimitGuessed = limit == nil && isTable
    self.limit = limit ?? (isTable ? ReadVerb.rowsOnTerminal : Int.max)
  }

  mutating func add(_ log: QuarantineLog, of product: String, onlyOpen: Bool) {
    for event in log.events {
      count(event, log, product)
      if onlyOpen && !log.isOpen(event) { continue }
      rows.append((product, event, log.standing(of: event)))
    }
  }

  private mutating func count(
    _ event: QuarantinedRecord, _ log: QuarantineLog, _ product: String
  ) {
    let known = counts.firstIndex { $0.product == product && $0.reason == event.reason }
    let place = known ?? counts.count
    if known == nil { counts.append(Count(product: product, reason: event.reason)) }
    guard let settlements = log.settlements[event.offset] else { return counts[place].open += 1 }
    if settlements.allSatisfy({ $0.result == .discarded }) {
      counts[place].discarded += 1
    } else {
      counts[place].released += 1
    }
  }

  func write() {
    let sorted = rows.sorted {
      let isBefore =
        ($0.event.recorded, $0.product, $0.event.offset)
        < ($1.event.recorded, $1.product, $1.event.offset)
      return isBefore == isOldestFirst
    }
    let shown = Array(sorted.prefix(limit))
    session.isJSON ? writeJSON(shown) : writeText(shown, of: sorted.count)
  }

  private func writeText(
    _ shown: [(product: String, event: QuarantinedRecord, standing: String)], of all: Int
  ) {
    let isMany = Set(counts.map(\.product)).count > 1
    func with(_ product: String, _ cells: [String]) -> [String] {
      isMany ? [product] + cells : cells
    }
    if !shown.isEmpty {
      write(
        (isMany ? [Table.Column("product")] : []) + [
          Table.Column("position", isNumber: true), Table.Column("reason"), Table.Column("source"),
          Table.Column("when"), Table.Column("key"), Table.Column("state"),
        ],
        shown.map { row in
          with(
            row.product,
            [
              "\(row.event.offset)", row.event.reason, row.event.source, row.event.recorded,
              row.event.keyText, row.standing,
            ])
        })
      if shown.count < all {
        session.say(
          "\(shown.count) of \(all) records\(isLimitGuessed ? "; --limit shows more" : "")")
      }
      session.output.write("\n")
    }
    if counts.isEmpty { return session.output.write("nothing is in quarantine\n") }
    write(
      (isMany ? [Table.Column("product")] : []) + [
        Table.Column("reason"), Table.Column("open", isNumber: true),
        Table.Column("released", isNumber: true), Table.Column("discarded", isNumber: true),
      ],
      counts.map {
        with($0.product, [$0.reason, "\($0.open)", "\($0.released)", "\($0.discarded)"])
      })
  }

  private func write(_ columns: [Table.Column], _ rows: [[String]]) {
    let width = session.terminal.isTerminal ? session.terminal.width : nil
    let table = Table(columns, fitting: rows, width: width)
    session.output.write(table.header)
    for row in rows { session.output.write(table.line(row)) }
  }

  private func writeJSON(
    _ shown: [(product: String, event: QuarantinedRecord, standing: String)]
  ) {
    for row in shown {
      var members: [JSONValue.Member] = [
        .init("kind", "record"), .init("product", .string(row.product)),
      ]
      members += row.event.members
      members.append(.init("state", .string(row.standing)))
      session.output.write(JSONValue.object(members).description + "\n")
    }
    for count in counts {
      session.output.write(
        JSONValue.members([
          "kind": "count", "product": .string(count.product), "reason": .string(count.reason),
          "open": .integer(Int64(count.open)), "released": .integer(Int64(count.released)),
          "discarded": .integer(Int64(count.discarded)),
        ]).description + "\n")
    }
  }
}

extension QuarantinedRecord {
  /// Topic, partition and offset.
  var source: String { "\(topic)/\(partition)/\(sourceOffset)" }
  var keyText: String { key.map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// What is known of it beside its bytes, for machines.
  var members: [JSONValue.Member] {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return [
      .init("position", .integer(offset)), .init("reason", .string(reason)),
      .init("message", .string(message)), .init("place", .string(place)),
      .init("input", .string(input)), .init("topic", .string(topic)),
      .init("partition", .integer(Int64(partition))), .init("offset", .integer(sourceOffset)),
      .init("recorded", .string(recorded)), .init("time", text(time?.description)),
      .init("journal", text(journal)), .init("journalPosition", text(position)),
      .init("key", text(key.map { String(decoding: $0, as: UTF8.self) })),
    ]
  }
}
