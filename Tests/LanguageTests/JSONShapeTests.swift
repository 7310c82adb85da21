import Formats
import Records
import Testing

/// A document is read straight into the slots or, when that gives up, over the tape: whatever the
/// straight way accepts means the same on the other.
@Suite struct JSONShapeTests {
  /// A document's shape with every kind of field, and one name each that is short, of eight bytes,
  /// long, beyond ASCII and written with escapes.
  private static func makeShape() -> JSONShape {
    typealias Field = JSONShape.Field
    var fields: ContiguousArray<Field> = []
    var names: [String] = []
    func add(_ name: String, _ kind: Field.Kind, slot: Int32 = -1, required: Bool = false) {
      var field = Field(kind: kind)
      field.slot = slot
      field.isRequired = required
      fields.append(field)
      names.append(name)
    }
    add("id", .string, slot: 1, required: true)
    add("quantity", .int, slot: 2)
    add("the price of all of it", .decimal, slot: 3)
    add("größe", .double, slot: 4)
    add("a\"b", .bool, slot: 5)
    add("at", .timestamp, slot: 6)
    add("day", .date, slot: 7)
    add("any", .json, slot: 8)
    add("customer", .object, slot: 9)
    add("items", .list, slot: 11)
    add("labels", .map, slot: 12)
    add("notes", .passedOver)
    add("unread", .string)
    add("", .object)
    let customer = Int32(fields.count)
    add("id", .int, slot: 10, required: true)
    add("email", .string)
    let item = Int32(fields.count)
    add("sku", .string)
    add("qty", .int, required: true)
    let elements = Int32(fields.count)
    add("", .object)
    add("", .decimal)
    fields[2].precision = 6
    fields[2].scale = 2
    fields[2].mantissaSafe = 10_000
    fields[8].object = 1
    fields[9].element = elements
    fields[10].element = elements + 1
    fields[13].object = 2
    fields[Int(elements)].object = 2
    return JSONShape(
      fields: fields,
      objects: [
        .init(first: 0, count: customer, slotFirst: 1, slotEnd: 13),
        .init(first: customer, count: 2, slotFirst: 10, slotEnd: 11),
        .init(first: item, count: 2, slotFirst: 13, slotEnd: 13),
      ], names: names, rootSlot: 0)
  }

  /// One reader, as a product has it, and what it read last as text.
  private final class Bench {
    let arena = Arena()
    let slots = Slots(count: 13)
    let reader: JSONShapeReader
    let shape = makeShape()
    init() { reader = JSONShapeReader(slots: slots.run, arena: arena) }

    /// Nil: the straight way gave up.
    func straight(_ text: ByteView) -> String? {
      arena.reset()
      return reader.readAtOnce(text, shape) ? description : nil
    }

    /// Nil: the document is refused.
    func overTape(_ text: ByteView) -> String? {
      arena.reset()
      if reader.tape.parse(text) != nil || !reader.read(shape) { return nil }
      return description
    }

    private var description: String {
      (0..<slots.count).map { describe(slots[$0]) }.joined(separator: "|")
    }

    private func describe(_ value: Value) -> String {
      switch value.kind {
      case .string, .json: "\(value.kind):\(value.view.text)"
      case .int: "\(value.int)"
      case .decimal: "\(value.decimal) scale \(value.decimal.scale)"
      case .double: "\(value.double)"
      case .bool: "\(value.bool)"
      case .timestamp: "\(value.timestamp)"
      case .date: "day \(value.dateDays)"
      case .list, .object, .map:
        "\(value.kind)(\((0..<value.run.count).map { describe(value.run[$0]) }))"
      default: "\(value.kind)"
      }
    }
  }

  private static let plain = [
    #"{"id":"o-1","quantity":7,"the price of all of it":12.50,"größe":1.5e3,"at":"2024-02-29T12:00:00.5Z","day":"2024-02-29","any":{"x":[1,"}",null]},"customer":{"id":7,"email":"u@example.com"},"items":[{"sku":"s-1","qty":2},{"qty":-0}],"labels":{"a":1,"b":-2.5},"notes":[[],{"a":{}}],"unread":"x"}"#,
    #"{ "customer" : { "id" : 1 } , "id" : "grüße 日本 😀 \"quoted\" \u00e9" , "stranger" : [ {"id":1} ] , "quantity" : 9223372036854775807 }"#,
    #"{"id":"","quantity":null,"any":null,"customer":null,"items":[],"labels":{},"day":null,"":{"qty":1}}"#,
    #"{"id":"1234567890123456","quantity":12.0,"the price of all of it":9999.99,"items":[{"qty":1,"sku":null}]}"#,
    #"{"id": "o-1", "quantity": 7, "customer": {"id": 7, "email": "u@example.com"}, "items": [{"qty": 1, "sku": "s"}], "day": "2024-02-29"}"#,
    #"{"id":"x","notes":"plain","quantity":1}"#,
    #"{"id":"x","any":"t\\ext","quantity":1e2,"the price of all of it":1.5e1,"größe":-0.0}"#,
  ]

  @Test func `a plain document is read without a tape`() {
    let bench = Bench()
    for text in JSONShapeTests.plain {
      ByteView.lending(text) { text in
        let straight = bench.straight(text)
        #expect(straight != nil)
        #expect(straight == bench.overTape(text))
      }
    }
  }

  @Test(arguments: [
    #"{"quantity":1}"#, #"{"id":1}"#, #"{"id":"x","id":"y"}"#, #"{"i\u0064":"x"}"#,
    #"{"id":"x","a"b":true}"#, #"{"id":"x","quantity":01}"#, #"{"id":"x","quantity":1.5}"#,
    #"{"id":"x","the price of all of it":1.}"#, #"{"id":"x","items":[null]}"#, #"{"id":"x",}"#,
    #"{"id":"x"}}"#, #"["id"]"#, #"{"id":"x","items":[{"qty":1},]}"#, #"{"id":"x","at":"soon"}"#,
    #"{"id":"x","the price of all of it":12345.67}"#, #"{"id":"x" "quantity":1}"#, "\u{FEFF}{}", "",
  ])
  func `what is not plain is left to the tape`(_ text: String) {
    let bench = Bench()
    ByteView.lending(text) { #expect(bench.straight($0) == nil) }
  }

  @Test func `containers as deep as the tape takes them are read, and no deeper ones`() {
    let bench = Bench()
    for depth in 125...130 {
      let brackets = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      for name in ["any", "notes", "stranger"] {
        ByteView.lending(#"{"id":"x","\#(name)":\#(brackets)}"#) { text in
          #expect((bench.straight(text) != nil) == (depth < JSONTape.depthMax))
          #expect((bench.overTape(text) != nil) == (depth < JSONTape.depthMax))
        }
      }
    }
  }

  @Test func `of many fields the last value of a repeated member counts, as on the tape`() {
    var fields: ContiguousArray<JSONShape.Field> = []
    for index in 0..<70 {
      var field = JSONShape.Field(kind: .int)
      field.isRequired = index == 66
      field.slot = index == 66 ? 0 : -1
      fields.append(field)
    }
    let shape = JSONShape(
      fields: fields, objects: [.init(first: 0, count: 70, slotFirst: 0, slotEnd: 1)],
      names: (0..<70).map { "f\($0)" })
    let slots = Slots(count: 1)
    let reader = JSONShapeReader(slots: slots.run, arena: Arena())
    for (text, isGood) in [
      (#"{"f66":1,"f66":null}"#, false), (#"{"f66":null,"f66":2}"#, true),
      (#"{"f1":1,"f1":2,"f66":2}"#, true),
    ] {
      ByteView.lending(text) { text in
        #expect(reader.tape.parse(text) == nil)
        #expect(reader.read(shape) == isGood)
        #expect(isGood || !reader.readAtOnce(text, shape))
      }
    }
  }

  /// Both ways over `{"id":"x","NAME":VALUE}`, with `behind` after the value.
  private func expectAgreement(
    _ bench: Bench, _ name: String, _ value: String, behind: String = "", isPlain: Bool
  ) {
    ByteView.lending(#"{"id":"x","\#(name)":\#(value)\#(behind)}"#) { text in
      let straight = bench.straight(text)
      let wanted = bench.overTape(text)
      #expect(straight == nil || straight == wanted, "\(text.text)")
      #expect(!isPlain || (straight == nil) == (wanted == nil), "\(text.text)")
    }
  }

  @Test func `numbers of any length and form mean the same on both ways`() {
    let bench = Bench()
    let digits = "12345678901234567890"
    for count in 1...20 {
      for whole in 0...count {
        for sign in ["", "-"] {
          let first = digits.prefix(whole)
          let rest = digits.dropFirst(whole).prefix(count - whole)
          let number = "\(sign)\(first)\(rest.isEmpty ? "" : ".")\(rest)"
          for text in [number, "\(sign)0\(number.dropFirst(sign.count))", "\(number)e2"] {
            for behind in ["", " ", #","unread":"y""#, ".", "x", "0"] {
              expectAgreement(bench, "quantity", text, behind: behind, isPlain: true)
              expectAgreement(bench, "labels", "{\"a\":\(text)}", behind: behind, isPlain: true)
              expectAgreement(
                bench, "the price of all of it", text, behind: behind, isPlain: true)
              expectAgreement(bench, "stranger", text, behind: behind, isPlain: true)
            }
          }
        }
      }
    }
  }

  @Test(arguments: [
    "01", "-", "-01", "1.", "-.5", ".5", "+1", "1e", "1e+", "1E-7", "1.5e+300", "0e0", "0.0", "-0",
    "1.2.3", "1e2e3", "--1", "12345678.", "123456789e", "tru", "nul", "nulll", "truefalse", "falsx",
    "false", "null", "true", "NaN", "[1,]", "[,1]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#,
    #"{"a":1,}"#, #"{"a" : [ 1 , { } , [ ] ] }"#, #"{1:2}"#, "[}", "{]", "[[1]", "[1]]",
    #""a\"b""#, #""\x""#, #""\ud800""#, #""é""#, #""unfinished"#, "\"\u{1}\"", "[\u{0}]",
  ])
  func `what is passed over is as strict as the tape`(_ value: String) {
    let bench = Bench()
    for name in ["stranger", "notes", "any", "unread"] {
      for behind in ["", " ", ",\"quantity\":1"] {
        expectAgreement(bench, name, value, behind: behind, isPlain: true)
        expectAgreement(bench, name, "[\(value)]", behind: behind, isPlain: true)
        expectAgreement(bench, name, "{\"a\":\(value)}", behind: behind, isPlain: true)
      }
    }
  }

  @Test func `members in any order, with strangers and white space between, mean the same`() {
    var random = Xorshift()
    let bench = Bench()
    let members = [
      #""id":"o-1""#, #""quantity":7"#, #""the price of all of it":12.50"#, #""größe":1.5"#,
      #""day":"2024-02-29""#, #""any":[1,2]"#, #""customer":{"email":"u","id":7}"#,
      #""items":[{"qty":1,"sku":"s"},{"sku":"t","qty":2},{"qty":3}]"#, #""notes":12"#,
      #""unread":"y""#, #""stranger":{"id":[]}"#, #""i":"d""#, #""idd":"e""#, #""quantitx":8"#,
      #""the price of all of itt":1"#, "\"\":{\"qty\":1}",
    ]
    for round in 0..<3000 {
      var chosen = members.filter { _ in random.below(8) > 0 }
      // Long runs of one order, and then another.
      if round % 50 > 25 { chosen.sort() } else { chosen.shuffle(using: &random) }
      let space = ["", " ", "\n\t ", "\r\n"][random.below(4)]
      ByteView.lending(space + "{" + chosen.joined(separator: ",\(space)") + "\(space)}\(space)") {
        let straight = bench.straight($0)
        #expect(straight == bench.overTape($0), "\($0.text)")
      }
    }
  }

  @Test func `of entries of a map with one key the last counts, and the repetition is counted`() {
    var random = Xorshift()
    let bench = Bench()
    for _ in 0..<300 {
      var model: [(key: String, value: String)] = []
      var members: [String] = []
      for _ in 0..<random.below(40) {
        let (key, value) = ("k\(random.below(60))", "\(random.below(9))")
        members.append("\"\(key)\":\(value)")
        if let known = model.firstIndex(where: { $0.key == key }) {
          model[known].value = value
        } else {
          model.append((key, value))
        }
      }
      let wanted = model.flatMap { ["string:\($0.key)", "\($0.value) scale 0"] }
      let before = bench.reader.repeats
      ByteView.lending("{\"id\":\"1\",\"labels\":{\(members.joined(separator: ","))}}") { text in
        let straight = bench.straight(text)
        #expect((straight == nil) == (model.count < members.count))
        let found = bench.overTape(text)
        #expect(found?.hasSuffix("|map(\(wanted))") == true)
        if let straight { #expect(straight == found) }
      }
      #expect(bench.reader.repeats - before == Int64(members.count - model.count))
    }
  }

  @Test func `names of any length are told from those that are nearly like them`() {
    var fields: ContiguousArray<JSONShape.Field> = []
    let names = (0...40).map { String(repeating: "n", count: $0) }
    for index in names.indices {
      var field = JSONShape.Field(kind: .int)
      field.slot = Int32(index)
      fields.append(field)
    }
    let shape = JSONShape(
      fields: fields,
      objects: [.init(first: 0, count: Int32(names.count), slotFirst: 0, slotEnd: 41)],
      names: names)
    let slots = Slots(count: names.count)
    let arena = Arena()
    let reader = JSONShapeReader(slots: slots.run, arena: arena)
    for (index, name) in names.enumerated() {
      for place in 0..<max(name.count, 1) {
        var other = Array(name.utf8)
        if place < other.count { other[place] = UInt8(ascii: "m") }
        let stranger = String(decoding: other, as: UTF8.self)
        ByteView.lending("{\"\(name)\":\(index),\"\(stranger)\":99}") { text in
          arena.reset()
          #expect(reader.readAtOnce(text, shape) == (stranger != name))
          guard stranger != name else { return }
          for slot in 0..<slots.count {
            #expect(slots[slot].isAbsent == (slot != index))
          }
          #expect(slots[index].int == Int64(index))
        }
      }
    }
  }

  @Test func `mutated documents mean the same on both ways`() {
    var state: UInt64 = 0x2545_F491_4F6C_DD1D
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(bound))
    }
    let interesting = Array("{}[]\",:\\u019aeE.+-tfn \u{1}".utf8) + [0, 0x80, 0xC3, 0xE2, 0xFF]
    let seeds = JSONShapeTests.plain.map { Array($0.utf8) }
    let bench = Bench()
    var (straight, accepted) = (0, 0)
    for _ in 0..<60_000 {
      var bytes = seeds[random(seeds.count)]
      for _ in 0..<random(4) {
        let place = random(bytes.count)
        switch random(4) {
        case 0: bytes[place] = interesting[random(interesting.count)]
        case 1: bytes.insert(interesting[random(interesting.count)], at: place)
        case 2: bytes[place] = bytes[random(bytes.count)]
        default: bytes.remove(at: place)
        }
      }
      ByteView.lending(bytes) { text in
        let wanted = bench.overTape(text)
        if wanted != nil { accepted += 1 }
        guard let found = bench.straight(text) else { return }
        straight += 1
        #expect(found == wanted, "\(text.text)")
      }
    }
    #expect(straight > 10_000)
    #expect(straight > accepted * 9 / 10)
  }
}

/// Numbers that look random and are the same in each run.
private struct Xorshift: RandomNumberGenerator {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
