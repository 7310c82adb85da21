import Diagnostics
import Product
import Testing

/// Pseudonyms are made with a key that nobody sees, and another key is other logic.
@Suite struct PseudonymTests {
  private static let key = "hunter2-hunter2-hunter2"

  private static func load(
    keys: String?, _ expression: String = "pseudonym(event.id)"
  ) throws -> LoadedDomain {
    var files = ProductFiles.shop
    if let keys { files["worker.yaml", default: ""] += "keys: {pseudonym: \(keys)}\n" }
    files = try ProductFiles.changed(
      files, [("transform.yaml", "id    = event.id", "id    = \(expression)")])
    files["key.txt"] = key + "\n"
    let made = try ProductFiles(files)
    return withExtendedLifetime(made) { LoadedDomain.load(made.directory) }
  }

  private static func digest(_ loaded: LoadedDomain) throws -> [UInt8] {
    try #require(
      loaded.definition?.products.first, "\(told(loaded.diagnostics))"
    ).logicDigest
  }

  @Test func `another key is other logic, and the same key the same, wherever it comes from`()
    throws
  {
    let first = try Self.digest(Self.load(keys: "\(Self.key)"))
    #expect(try Self.digest(Self.load(keys: "\"@key.txt\"")) == first)
    #expect(try Self.digest(Self.load(keys: "\"${WEFT_TEST_NOT_SET:-\(Self.key)}\"")) == first)
    #expect(try Self.digest(Self.load(keys: "\(Self.key)s")) != first)
  }

  @Test func `a key that nothing uses is no part of the logic`() throws {
    let plain = try Self.digest(Self.load(keys: nil, "event.id"))
    #expect(try Self.digest(Self.load(keys: Self.key, "event.id")) == plain)
  }

  @Test func `the logic has a fingerprint of the key, and nothing of the key`() throws {
    let loaded = try Self.load(keys: Self.key)
    let files = try #require(loaded.definition?.products.first).logicFiles
    let key = try #require(files.first { $0.path == "key pseudonym" })
    #expect(key.content.hasPrefix("key = ") && key.content.utf8.count == 6 + 16 + 1)
    #expect(!files.contains { $0.content.contains("hunter2") })
  }

  @Test(arguments: [nil, "\"${WEFT_TEST_NOT_SET:-}\""])
  func `without a key there are no pseudonyms`(_ keys: String?) throws {
    let found = try Self.load(keys: keys).diagnostics
    #expect(found.map(\.code.text) == ["W0318"], "\(told(found))")
    #expect(found.first?.help?.contains("worker.yaml") == true)
  }

  @Test(arguments: ["hunter2", "\"${WEFT_TEST_NOT_SET}\"", "\"@none.txt\"", "[hunter2]"])
  func `a key that cannot be one is told, and not shown`(_ keys: String) throws {
    let found = try Self.load(keys: keys, "event.id").diagnostics
    #expect(!found.isEmpty)
    let text = TextRenderer(colours: false).render(found) + JSONRenderer().render(found)
    #expect(!text.contains("hunter2"), "\(text)")
  }
}
