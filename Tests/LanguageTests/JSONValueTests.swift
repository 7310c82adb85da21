import Formats
import Records
import Testing

/// JSON as a tree.
struct JSONValueTests {
  @Test func `a document comes back as it was, order and number texts kept`() throws {
    let text = #"{"b":[1.50,true,null,"x\n"],"a":{},"":[],"e":-1E+2}"#
    let value = try JSONValue(parsing: text)
    #expect(value.description == text)
    #expect(
      value.indented == """
        {
          "b": [
            1.50,
            true,
            null,
            "x\\n"
          ],
          "a": {},
          "": [],
          "e": -1E+2
        }
        """)
    #expect(try JSONValue(parsing: value.indented) == value)
  }

  @Test func `what is inside is found by name and kind`() throws {
    let value = try JSONValue(parsing: #"{"n":1e2,"s":"t","o":{"d":2.5},"l":[1],"t":true,"n":7}"#)
    #expect(value["n"]?.int64 == 7)
    #expect(value["o"]?["d"]?.double == 2.5)
    #expect(value["o"]?["d"]?.int64 == nil)
    #expect(value["s"]?.string == "t")
    #expect(value["l"]?.array == [.integer(1)])
    #expect(value["t"]?.bool == true)
    #expect(value["s"]?["x"] == nil)
    #expect(value.object?.count == 6)
  }

  @Test func `a tree is built and written`() {
    let value: JSONValue = .members([
      "name": .string("x"), "count": .integer(3), "share": .double(0.5), "none": .double(.nan),
      "list": .array([.bool(false), .null]),
    ])
    #expect(
      value.description == #"{"name":"x","count":3,"share":0.5,"none":null,"list":[false,null]}"#)
  }

  @Test func `a broken document throws its failure`() {
    #expect(throws: JSONFailure(.unexpectedByte, at: 3)) { try JSONValue(parsing: "[1,]") }
    #expect(throws: JSONFailure(.empty, at: 0)) { try JSONValue(parsing: "") }
  }
}
