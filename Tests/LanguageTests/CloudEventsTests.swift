import Formats
import Records
import Testing

/// Headers of output records as data.
struct CloudEventsTests {
  @Test func `an id is made of the journal position alone`() {
    func id(_ index: UInt32, _ subIndex: UInt32) -> String {
      let buffer = ByteBuffer()
      buffer.appendCloudEventsID(
        partition: Partition(3), position: Position(block: Offset(1024), index: index),
        subIndex: subIndex)
      return buffer.view.text
    }
    #expect(id(17, 0) == "3-1024-17")
    #expect(id(0, 2) == "3-1024-0-2")
  }

  @Test func `the constant headers name source, type and content`() {
    let template = CloudEventsTemplate(source: "/health/claims/claim", type: "claims.claim.v1")
    #expect(
      template.headers.map { "\($0.name)=\($0.value)" } == [
        "ce_specversion=1.0", "ce_source=/health/claims/claim", "ce_type=claims.claim.v1",
        "content-type=application/json",
      ])
    #expect(CloudEventsTemplate(source: "s", type: "t", contentType: nil).headers.count == 3)
  }

  @Test func `times are RFC 3339 in UTC`() {
    let buffer = ByteBuffer()
    buffer.appendCloudEventsTime(Timestamp(milliseconds: 1_700_000_000_123))
    #expect(buffer.view.text == "2023-11-14T22:13:20.123Z")
  }
}
