import Testing

@testable import Engine

/// Money is exact: sums equal big-integer arithmetic, in any order.
@Suite struct MoneyTests {
  @Test(arguments: [1, 2, 3, 4])
  func `a sum of decimals equals integer arithmetic, in any order`(seed: UInt64) throws {
    var random = SplitMix(seed)
    var cents: Int128 = 0
    var texts: [String] = []
    for _ in 0..<300 {
      let units = Int128(random.next(1_000_000_000_000))
      let part = random.next(100)
      let sign: Int128 = random.next(3) == 0 ? -1 : 1
      cents += sign * (units * 100 + Int128(part))
      let fraction = part < 10 ? "0\(part)" : "\(part)"
      // The same amounts as other texts: without zeros at the end, with exponents.
      let text =
        part % 10 == 0
        ? "\(units).\(part / 10)"
        : (part % 7 == 0 ? "\(units)\(fraction)e-2" : "\(units).\(fraction)")
      texts.append((sign < 0 ? "-" : "") + text)
    }
    let sign = cents < 0 ? "-" : ""
    let fraction = cents.magnitude % 100
    let expected = "\(sign)\(cents.magnitude / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    for order in 0..<3 {
      let simulation = try ProductSimulation(Claims.product())
      for (number, text) in texts.enumerated() {
        simulation.take(Claims.charge("c1", id: "e\(number)", text))
      }
      #expect(simulation.quarantined.isEmpty)
      #expect(simulation.values(1).last?.contains("\"charged\":\(expected),") == true)
      if order == 0 { texts.reverse() } else { texts.sort() }
    }
  }

}
