/// What an operator does with what lies in quarantine.
package struct Operation: Sendable, Hashable {
  package enum Kind: Sendable, Hashable { case release, discard }

  /// After so many milliseconds of the simulation.
  package var atMs: Int64
  package var kind: Kind
  /// Which of what is there.
  package var pick: Int
  /// How often it is written, as by an operator who is in doubt, or by several of them.
  package var times: Int
  /// Another operator wants the opposite at the same moment.
  package var isDisputed: Bool
  /// It names a place where nothing lies.
  package var isOfNothing: Bool

  static func generated(
    _ shape: Shape, _ inputs: [GeneratedInput], _ random: inout Random
  ) -> [Operation] {
    guard let last = inputs.last, random.percent(50) || shape.holdsKeys else { return [] }
    return (0..<1 + random.below(8)).map { _ in
      Operation(
        atMs: Int64(random.below(Int(last.atMs) + 3000)),
        kind: random.percent(70) ? .release : .discard, pick: random.below(1000),
        times: random.percent(70) ? 1 : 2 + random.below(2), isDisputed: random.percent(15),
        isOfNothing: random.percent(5))
    }
  }
}
