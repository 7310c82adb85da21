/// One record of an input's topic, with what it means.
package struct GeneratedInput: Sendable, Hashable {
  /// What is wrong with it.
  package enum Flaw: String, Sendable, Hashable, CaseIterable {
    case nullValue, emptyValue, cutOff, wrongEncoding, noKeys, unknownType, tooDeep
    /// For a journal; a direct product takes it.
    case tooLarge
    /// Journaled, and refused by apply.
    case wrongType, noId
  }

  package struct Line: Sendable, Hashable {
    package var sku: String
    package var n: Int?
  }

  package var kind: Shape.Kind
  package var partition: Int
  /// After so many milliseconds of the simulation.
  package var atMs: Int64
  package var id: String
  package var account: String
  package var branch: String
  /// Actual time, in seconds since the simulation's beginning.
  package var timeS: Int64
  package var amount: Int?
  package var n: Int?
  package var note: String?
  package var flaw: Flaw?
  /// What may be made events of its own; nil: they are not even there.
  package var lines: [Line]?
  /// Of an event that was made of a line.
  package var sku = ""
  /// Which of several it is that are made of one.
  var line: Int?
  /// Of a link: whose local ids the account is one of, and who it is.
  package var system = ""
  package var owner = ""
  /// Of one that takes another back, or says it anew: what it says it does, of which, and its own
  /// id, where that is not in its content.
  package var operation: String?
  package var corrects = ""
  package var recordId: String?

  /// Told to the reference: its place in its journal partition, and its name there.
  var order = 0
  var tag = ""

  var isRetraction: Bool { operation == "retract" }
  /// Of the record that it is, or takes back.
  var subject: String { isRetraction ? corrects : recordId ?? id }
  /// What it gives to rows, told apart from what others do that are made of the same event.
  var contribution: String { line.map { "\(tag)/\($0)" } ?? tag }

  /// Stands for one that nobody fed.
  static let nothing = GeneratedInput(
    kind: .Moved, partition: 0, atMs: 0, id: "", account: "", branch: "", timeS: 0)

  /// Of a row of the state port: what it is known by, and whether it is deleted.
  package var rowKey = Shape.Key.account
  package var isDeletion = false

  /// Nil only of a tombstone that names no row.
  package var key: [UInt8]? {
    isDeletion && flaw == .noKeys ? nil : Array(text(of: rowKey).utf8)
  }

  /// Its bytes; nil is a null.
  package var value: [UInt8]? {
    if isDeletion { return nil }
    switch flaw {
    case .nullValue: return nil
    case .emptyValue: return []
    case .cutOff: return Array("{\"eventId\": \"\(id)\", ".utf8)
    case .wrongEncoding: return Array("{\"note\": \"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
    default: break
    }
    if kind == .Linked {
      let rest = flaw == .noKeys ? "" : ",\"local\":\"\(account)\""
      return Array("{\"system\":\"\(system)\",\"owner\":\"\(owner)\"\(rest)}".utf8)
    }
    let type = flaw == .unknownType ? "Unheard" : kind.rawValue
    var fields = ["\"type\":\"\(type)\""]
    if flaw != .noId { fields.append("\"eventId\":\"\(id)\"") }
    if flaw != .noKeys { fields += ["\"account\":\"\(account)\"", "\"branch\":\"\(branch)\""] }
    fields.append("\"at\":\"\(instant)\"")
    if flaw == .wrongType {
      fields.append("\"amount\":\"much\"")
    } else if let amount {
      fields.append("\"amount\":\(Shape.decimal(amount))")
    }
    if let n { fields.append("\"n\":\(n)") }
    if let note { fields.append("\"note\":\"\(note)\"") }
    if let lines { fields.append("\"lines\":[\(lines.map(text).joined(separator: ","))]") }
    if flaw == .tooDeep {
      let (open, close) = (String(repeating: "[", count: 200), String(repeating: "]", count: 200))
      fields.append("\"rest\":\(open)\(close)")
    }
    if flaw == .tooLarge {
      fields.append("\"rest\":\"\(String(repeating: "x", count: 1_000_000))\"")
    }
    return Array("{\(fields.joined(separator: ","))}".utf8)
  }

  private func text(_ line: Line) -> String {
    "{\"sku\":\"\(line.sku)\"\(line.n.map { ",\"n\":\($0)" } ?? "")}"
  }

  /// The events that are made of it by its lines.
  package var exploded: [GeneratedInput] {
    (lines ?? []).enumerated().map { number, line in
      var one = self
      one.line = number
      one.n = line.n
      one.sku = line.sku
      return one
    }
  }

  /// Of a record of another product's port.
  package var headers: [(name: String, value: [UInt8])] {
    if kind == .Linked || kind == .Kept { return [("ce_time", Array(instant.utf8))] }
    var headers = [("ce_id", Array((recordId ?? id).utf8))]
    if let operation {
      headers += [("ce_op", Array(operation.utf8)), ("ce_corrects", Array(corrects.utf8))]
    }
    return headers
  }

  /// The actual time that it says, or of one that says none Kafka's, in milliseconds since 1970.
  func actualMs(_ shape: Shape) -> Int64 {
    let saysTime = shape.hasTime || kind == .Linked || kind == .Kept
    return SimulatedWorld.epochMs + (saysTime ? (timeS - 129_600) * 1000 : atMs)
  }

  /// Always in the same month as the simulation.
  private var instant: String {
    let seconds = timeS + 43_200
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "2024-05-\(two(30 + seconds / 86_400))T\(two(seconds % 86_400 / 3600))"
      + ":\(two(seconds % 3600 / 60)):\(two(seconds % 60))Z"
  }

  /// Why ingest or a direct product would not take it; nil: it would.
  package func intakeReason(_ shape: Shape) -> String? {
    if isDeletion { return flaw == .noKeys ? "missing-key" : nil }
    if let operation, shape.corrects(kind), !["retract", "assert"].contains(operation) {
      return "bad-correction"
    }
    return switch flaw {
    case .nullValue: "null-value"
    case .emptyValue: "empty-value"
    case .cutOff: "truncated"
    case .wrongEncoding: "invalid-utf8"
    case .noKeys: shape.isDirect ? "contract-input" : "missing-key"
    case .unknownType: kind == .Told ? nil : "unknown-type"
    case .tooDeep: "too-deep"
    case .tooLarge: shape.isDirect ? nil : "too-large"
    case .wrongType, .noId: shape.isDirect ? "contract-input" : nil
    case nil: nil
    }
  }

  /// Whether it breaks its contract, though it has its keys.
  package var breaksContract: Bool { flaw == .wrongType || flaw == .noId }
}

extension GeneratedInput {
  /// Gives events lines; a redelivery has those that it had.
  static func addLines(to inputs: inout [GeneratedInput]) {
    for index in inputs.indices {
      var random = Random(UInt64(inputs[index].id.dropFirst()) ?? 0)
      if random.percent(15) { continue }
      inputs[index].lines = (0..<random.below(random.percent(20) ? 9 : 4)).map { _ in
        Line(sku: "s\(random.below(3))", n: random.percent(80) ? 1 + random.below(12) : nil)
      }
    }
  }

  private static func local(_ shape: Shape, _ random: inout Random) -> String {
    shape.isToldByBranch && random.percent(40)
      ? "b\(random.below(3))" : "a\(random.below(5))"
  }

  /// Links between the others: early, late, twice, of other systems, and changed.
  static func links(_ shape: Shape, among others: [GeneratedInput], _ random: inout Random)
    -> [GeneratedInput]
  {
    guard shape.usesLinks, let last = others.last else { return [] }
    let flaws: [Flaw] = [.nullValue, .emptyValue, .cutOff, .wrongEncoding, .noKeys]
    return (0..<random.below(20)).map { _ in
      let atMs = Int64(random.below(Int(last.atMs) + 200))
      return GeneratedInput(
        kind: .Linked, partition: random.below(shape.inputPartitions), atMs: atMs, id: "",
        account: local(shape, &random), branch: "", timeS: Int64(random.below(40)) - 20,
        flaw: random.percent(6) ? random.pick(flaws) : nil,
        system: random.percent(80) ? "shop" : "yard", owner: "w\(random.below(3))")
    }
  }

  /// Corrections of others: early, late, twice, of each other.
  static func corrections(_ shape: Shape, among others: [GeneratedInput], _ random: inout Random)
    -> [GeneratedInput]
  {
    if !shape.corrects { return [] }
    var all: [GeneratedInput] = []
    var subjects: [GeneratedInput] = []
    for other in others where shape.corrects(other.kind) {
      if !subjects.contains(where: { $0.id == other.id }) { subjects.append(other) }
    }
    var next = 0
    while next < subjects.count {
      let subject = subjects[next]
      next += 1
      if !random.percent(35) { continue }
      for _ in 0..<1 + random.below(3) {
        var back = subject
        back.operation = random.percent(98) ? "retract" : "undo"
        if back.operation == "undo" { back.flaw = nil }
        back.corrects = subject.id
        back.recordId = "r\(all.count)"
        let isEarly = random.percent(25)
        back.atMs =
          isEarly
          ? Int64(random.below(Int(subject.atMs) + 1))
          : subject.atMs + Int64(random.below(random.percent(50) ? 100 : 3000))
        if random.percent(30) { back.partition = random.below(shape.inputPartitions) }
        all.append(back)
      }
      if !random.percent(60) { continue }
      var anew = subject
      anew.operation = "assert"
      anew.corrects = subject.id
      anew.id = "\(subject.id)x"
      anew.flaw = nil
      anew.atMs += Int64(random.below(2000))
      if random.percent(20) { anew.account = "a\(random.below(5))" }
      if random.percent(70) { anew.amount = random.below(10_000) * 2 - 4999 }
      if random.percent(50) { anew.n = 1 + random.below(12) }
      all.append(anew)
      subjects.append(anew)
    }
    return all
  }

  /// Rows of the state port between the others: made, changed, deleted, and deleted again.
  static func kept(_ shape: Shape, among others: [GeneratedInput], _ random: inout Random)
    -> [GeneratedInput]
  {
    guard shape.usesKept, let last = others.last else { return [] }
    let flaws: [Flaw] = [.emptyValue, .cutOff, .wrongEncoding, .noKeys]
    return (0..<random.below(40)).map { number in
      var row = GeneratedInput(
        kind: .Kept, partition: random.below(shape.inputPartitions),
        atMs: Int64(random.below(Int(last.atMs) + 200)), id: "k\(number)",
        account: "a\(random.below(4))", branch: "b\(random.below(2))",
        timeS: Int64(random.below(40)) - 20, flaw: random.percent(6) ? random.pick(flaws) : nil)
      row.rowKey = shape.keptKey
      row.isDeletion = random.percent(30)
      if row.isDeletion && row.flaw != .noKeys { row.flaw = nil }
      if random.percent(75) { row.amount = random.below(10_000) * 2 - 4999 }
      if random.percent(75) { row.n = 1 + random.below(12) }
      if random.percent(50) { row.note = "note \(random.below(4))" }
      return row
    }
  }

  package static func generated(_ shape: Shape, count: Int, _ random: inout Random)
    -> [GeneratedInput]
  {
    var all: [GeneratedInput] = []
    var now: Int64 = 0
    for number in 0..<count {
      now += Int64(random.below(random.percent(5) ? 3000 : 60))
      // A redelivery, at any distance.
      if !all.isEmpty, random.percent(15) {
        var again = all[
          random.percent(50) ? max(0, all.count - 1 - random.below(5)) : random.below(all.count)]
        again.atMs = now
        all.append(again)
        continue
      }
      let kind = random.pick(shape.kinds)
      let account = "a\(random.below(5))"
      all.append(
        GeneratedInput(
          kind: kind, partition: random.below(shape.inputPartitions), atMs: now, id: "e\(number)",
          account: account, branch: "b\(random.below(3))",
          timeS: now / 1000 + Int64(random.below(40)) - 20,
          // No zeros: whether adding nothing changes a row is another question.
          amount: random.percent(75) ? random.below(10_000) * 2 - 4999 : nil,
          n: random.percent(75) ? 1 + random.below(12) : nil,
          note: random.percent(50) ? "note \(random.below(4))" : nil,
          flaw: random.percent(8) ? random.pick(GeneratedInput.Flaw.allCases) : nil))
    }
    return all
  }
}
