import Records
import State
import Testing
import Worker

@Suite struct StateCheckTests {
  private let ours = StateCheckTests.digest(1)
  private var check: StateCheck {
    StateCheck(digest: ours, incarnation: 7, committed: Offset(100))
  }

  private static func digest(_ byte: UInt8) -> LogicDigest {
    let bytes = ByteBuffer(capacity: LogicDigest.byteCount)
    for _ in 0..<LogicDigest.byteCount { bytes.append(byte) }
    return LogicDigest(bytes.view) ?? .none
  }

  private func stamp(
    generation: UInt32 = 0, digest: LogicDigest? = nil, incarnation: UInt64 = 7, at position: Int64
  ) -> Stamp {
    Stamp(
      generation: generation, digest: digest ?? ours, incarnation: incarnation,
      position: Offset(position))
  }

  @Test func `a state up to what is committed is gone on from, and an empty one anywhere`() {
    #expect(check.objection(to: stamp(at: 0)) == nil)
    #expect(check.objection(to: stamp(at: 100)) == nil)
    #expect(check.objection(to: .empty) == nil)
    let first = StateCheck(digest: ours, incarnation: nil, committed: Offset(0))
    #expect(first.objection(to: .empty) == nil)
  }

  @Test func `a state ahead of what is committed is not used`() {
    #expect(check.objection(to: stamp(at: 101)) == .ahead(of: Offset(100)))
  }

  @Test func `an offset that no worker has committed is gone on from only where a state is`() {
    let set = StateCheck(
      digest: ours, incarnation: nil, committed: Offset(100), isSetElsewhere: true)
    #expect(set.objection(to: stamp(at: 100)) == nil)
    for position in [0, 99, 101] as [Int64] {
      #expect(
        set.objection(to: stamp(at: position))
          == .setElsewhere(to: Offset(100), state: Offset(position)))
    }
    #expect(
      set.objection(to: .empty) == .setElsewhere(to: Offset(100), state: Offset(0)))
    #expect(
      set.objection(to: stamp(digest: Self.digest(2), at: 100))
        == .setElsewhere(to: Offset(100), state: Offset(100)))
  }

  @Test func `a state of other logic, build or journal is not used, wherever it is`() {
    #expect(check.objection(to: stamp(digest: Self.digest(2), at: 5)) == .otherLogic)
    #expect(check.objection(to: stamp(generation: 1, at: 5)) == .otherGeneration)
    #expect(check.objection(to: stamp(incarnation: 8, at: 5)) == .otherJournal)
    // Nothing was committed of this journal, so the state is of one that is gone.
    let first = StateCheck(digest: ours, incarnation: nil, committed: Offset(0))
    #expect(first.objection(to: stamp(at: 0)) == .otherJournal)
  }

  @Test(arguments: [
    OffsetMetadata(logic: "00ff"), OffsetMetadata(logic: "00ff", incarnation: 1),
    OffsetMetadata(logic: "00ff", incarnation: UInt64.max), OffsetMetadata(logic: ""),
  ])
  func `what is committed with an offset is read as it was written`(metadata: OffsetMetadata) {
    #expect(OffsetMetadata(metadata.text) == metadata)
  }

  @Test(arguments: ["00ff ", "00ff xyz", "00ff 1 2", " 12345678901234567890", "hello world"])
  func `metadata that Weft has not written is other logic, not a crash`(text: String) {
    #expect(OffsetMetadata(text).logic == text)
    #expect(OffsetMetadata(text).incarnation == nil)
  }
}
