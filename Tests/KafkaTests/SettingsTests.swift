import Kafka
import Testing

@Suite struct SettingsTests {
  @Test func `a password is in no description, dump or error`() throws {
    let settings = ClientSettings(
      bootstrap: "127.0.0.1:1",
      properties: [
        "security.protocol": "ssl", "sasl.password": "tr0ub4dor", "ssl.key.pem": "tr0ub4dor",
      ])
    var dumped = ""
    dump(settings, to: &dumped)
    for text in ["\(settings)", String(reflecting: settings), dumped] {
      #expect(!text.contains("tr0ub4dor"))
    }
    #expect("\(settings)".contains("sasl.password"))
    let error = #expect(throws: KafkaError.self) { _ = try PlainProducer(settings: settings) }
    #expect(error.map { "\($0)".contains("tr0ub4dor") } == false)
  }

  @Test func `a property on which exactly-once rests is refused by name`() {
    let settings = ClientSettings(
      bootstrap: "127.0.0.1:1", properties: ["isolation.level": "read_uncommitted"])
    let error = #expect(throws: KafkaError.self) { _ = try Admin(settings: settings) }
    #expect(error?.operation == "set isolation.level")
  }

  @Test func `a property that librdkafka does not know is named`() {
    let settings = ClientSettings(bootstrap: "127.0.0.1:1", properties: ["no.such": "1"])
    let error = #expect(throws: KafkaError.self) { _ = try Admin(settings: settings) }
    #expect(error?.description.contains("no.such") == true)
  }

  @Test func `every error names one reaction`() {
    func reaction(
      _ code: Int32, fatal: Bool = false, retriable: Bool = false, abort: Bool = false
    ) -> KafkaReaction {
      KafkaError(
        code: KafkaErrorCode(value: code), operation: "test", isFatal: fatal,
        isRetriable: retriable, requiresAbort: abort
      ).reaction
    }
    #expect(reaction(-195, retriable: true) == .retry)
    #expect(reaction(25, abort: true) == .abort)
    #expect(reaction(-144, fatal: true) == .recreate)
    // No flag at all: nobody knows what happened.
    #expect(reaction(-1) == .recreate)
    // Another holder of the instance, or access denied: trying again cannot help.
    #expect(reaction(82, fatal: true) == .stop)
    #expect(reaction(53, fatal: true) == .stop)
    #expect(reaction(-169) == .stop)
  }
}
