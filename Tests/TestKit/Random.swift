/// Random numbers that one seed gives, in every process the same: SplitMix64 of Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators" (2014).
package struct Random: Sendable {
  private var state: UInt64

  package init(_ seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// From 0 on, below `count`.
  package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
  package mutating func percent(_ chance: Int) -> Bool { below(100) < chance }

  package mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}
