import Diagnostics
import Product
import Testing

/// Files changed at random: whatever they hold, they give a product or say why not.
@Suite struct ProductFuzzTests {
  /// Marsaglia's xorshift64: the same numbers in every run.
  struct Numbers {
    var state: UInt64
    mutating func next(below bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(max(bound, 1)))
    }
  }

  static let pieces = [
    ":", "-", " ", "\n", "  ", "\t", "[", "]", "{", "}", "|", "&a ", "*a", "!!str ", "\"", "'", "#",
    "null", "event.", "...", "@2", "é", "\u{85}", "\u{0}", "? ", "<<: *a", "%", "- - -", "=", "(",
  ]

  func changed(_ text: String, _ numbers: inout Numbers) -> String {
    var letters = Array(text)
    for _ in 0...numbers.next(below: 3) {
      let place = numbers.next(below: letters.count)
      switch numbers.next(below: 4) {
      case 0:
        letters.insert(contentsOf: Self.pieces[numbers.next(below: Self.pieces.count)], at: place)
      case 1:
        letters.removeSubrange(place..<min(place + 1 + numbers.next(below: 20), letters.count))
      case 2:
        let end = min(place + numbers.next(below: 60), letters.count)
        letters.insert(contentsOf: letters[place..<end], at: numbers.next(below: letters.count))
      default:
        if place < letters.count { letters[place] = Character(Self.pieces[0]) }
      }
    }
    return String(letters)
  }

  @Test func `no file can do more than be refused`() throws {
    var numbers = Numbers(state: 0x9E37_79B9_7F4A_7C15)
    let names = ProductFiles.shop.keys.sorted()
    for round in 0..<150 {
      var files = ProductFiles.shop
      for _ in 0...numbers.next(below: 2) {
        let name = names[numbers.next(below: names.count)]
        files[name] = changed(files[name] ?? "", &numbers)
      }
      let made = try ProductFiles(files)
      let loaded = LoadedDomain.load(made.directory)
      let hasErrors = loaded.diagnostics.contains { $0.severity == .error }
      #expect((loaded.definition == nil) == hasErrors, "round \(round)")
      let text = TextRenderer(colours: false).render(loaded.diagnostics)
      #expect(text.isEmpty == loaded.diagnostics.isEmpty)
      if hasErrors { continue }
      let ports = loaded.products.first?.ports.count
      #expect(ports == loaded.definition?.products.first?.outputs.count, "round \(round)")
    }
  }
}
