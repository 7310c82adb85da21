import Kafka
import Records
import Testing

@Suite struct GroupDescriptionTests {
  private let bytes: [UInt8] =
    [0, 1] + [0, 0, 0, 2]
    + [0, 1, 0x61] + [0, 0, 0, 2] + [0, 0, 0, 0] + [0, 0, 1, 7]
    + [0, 2, 0x62, 0x63] + [0, 0, 0, 1] + [0, 0, 0, 3]
    + [0, 0, 0, 0]

  @Test func `an assignment reads as the protocol writes it`() {
    #expect(
      NamedPartition.reading(assignment: bytes) == [
        NamedPartition(topic: "a", partition: Partition(0)),
        NamedPartition(topic: "a", partition: Partition(263)),
        NamedPartition(topic: "bc", partition: Partition(3)),
      ])
  }

  @Test func `an assignment that is cut anywhere ends there`() {
    for length in 0..<bytes.count {
      let read = NamedPartition.reading(assignment: Array(bytes.prefix(length)))
      #expect(read.count <= 3)
      #expect(read == Array(NamedPartition.reading(assignment: bytes).prefix(read.count)))
    }
    #expect(NamedPartition.reading(assignment: [0, 1, 255, 255, 255, 255]) == [])
  }

  @Test func `a static member is known by its name, and not by the beginning of another's`() {
    func member(_ id: String) -> GroupMember { GroupMember(memberId: id, partitions: []) }
    let id = "weft.bank.ledger.a.0-0e1f7d2c-3f0a-4a8e-9d39-0d8f6c1f5b6a"
    #expect(member(id).isNamed("weft.bank.ledger.a.0"))
    #expect(!member(id).isNamed("weft.bank.ledger.a"))
    #expect(!member("weft.bank.ledger.a.0-b.1-0e1f7d2c").isNamed("weft.bank.ledger.a.0"))
    #expect(!member("weft.bank.ledger.b.0-0e1f7d2c").isNamed("weft.bank.ledger.a.0"))
  }
}
