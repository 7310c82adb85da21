import Formats
import Records
import Testing

/// Finding the field of each member while an object is walked.
struct JSONFieldSetTests {
  private func walk(_ fields: JSONFieldSet, _ text: String) -> [String] {
    let tape = JSONTape()
    return ByteView.lending(text) { view in
      #expect(tape.parse(view) == nil)
      var found: [String] = []
      var members = fields.members(of: 0, in: tape)
      while members.next(fields, tape) {
        found.append("\(members.field)=\(tape.rawText(at: members.value).text)")
      }
      return found
    }
  }

  @Test func `members are found in any order, again and again`() {
    let fields = JSONFieldSet(["id", "name", "amount"])
    for _ in 0..<3 {
      #expect(walk(fields, #"{"id":1,"name":"x","amount":[2]}"#) == ["0=1", "1=\"x\"", "2=[2]"])
      #expect(walk(fields, #"{"amount":{},"id":1}"#) == ["2={}", "0=1"])
      #expect(
        walk(fields, #"{"other":0,"id":1,"i":2,"idx":3,"":4}"#) == [
          "-1=0", "0=1", "-1=2", "-1=3", "-1=4",
        ])
      #expect(walk(fields, "{}") == [])
    }
    #expect(fields.duplicates == 0)
  }

  @Test func `a name with escapes is the same name`() {
    let fields = JSONFieldSet(["né\"", "plain"])
    #expect(walk(fields, #"{"n\u00e9\"":1,"plain":2,"pl\u0061in":3}"#) == ["0=1", "1=2", "1=3"])
    #expect(walk(fields, #"{"plain":2,"né\"":1}"#) == ["1=2", "0=1"])
    #expect(fields.duplicates == 1)
  }

  @Test func `members that repeat a name are counted, and come in order`() {
    let fields = JSONFieldSet(["a", "b"])
    #expect(
      walk(fields, #"{"a":1,"b":2,"a":3,"c":0,"c":0,"a":4}"#) == [
        "0=1", "1=2", "0=3", "-1=0", "-1=0", "0=4",
      ])
    #expect(fields.duplicates == 2)
    _ = walk(fields, #"{"a":1,"b":2}"#)
    #expect(fields.duplicates == 2)
  }

  @Test func `a set of a thousand names finds each, and none that it does not have`() {
    let names = (0..<1000).map { "field\($0)" }
    let fields = JSONFieldSet(names)
    for (index, name) in names.enumerated() {
      #expect(ByteView.lending(name) { fields.field(named: $0) } == index)
      #expect(ByteView.lending("x" + name) { fields.field(named: $0) } == -1)
    }
    let text = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    #expect(walk(fields, text) == (0..<1000).map { "\($0)=0" })
    #expect(ByteView.lending("") { JSONFieldSet([]).field(named: $0) } == -1)
    #expect(ByteView.lending("") { JSONFieldSet([""]).field(named: $0) } == 0)
  }

  @Test func `objects in a list are walked one after another with one set`() {
    let fields = JSONFieldSet(["sku", "qty"])
    let tape = JSONTape()
    var total: Int64 = 0
    ByteView.lending(#"[{"sku":"a","qty":1},{"qty":2,"sku":"b"},{"qty":3}]"#) { text in
      #expect(tape.parse(text) == nil)
      let range = tape.children(of: 0)
      var at = range.lowerBound
      while at < range.upperBound {
        var members = fields.members(of: at, in: tape)
        while members.next(fields, tape) {
          if members.field == 1 { total += tape.int64(at: members.value) ?? 0 }
        }
        at = tape.next(after: at)
      }
    }
    #expect(total == 6)
  }
}
