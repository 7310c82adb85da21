import CThreads
import Kafka
import Records
import Testing

@Suite struct RecordTests {
  @Test func `the thread sanitizer sees the threads of librdkafka, and only it needs to`() {
    #if THREAD_SANITIZER
      #expect(weft_threads_shimmed() == 1)
    #else
      #expect([0, 1].contains(weft_threads_shimmed()))
    #endif
  }

  @Test func `a tombstone is no value, and an empty value is empty`() throws {
    let cluster = try MockCluster(topics: ["t": 1])
    let producer = try PlainProducer(settings: cluster.settings())
    let topic = try producer.open("t", soon)
    try producer.produce(to: topic, Partition(0), key: StaticString("k").view, value: nil, soon)
    try producer.produce(to: topic, Partition(0), key: nil, value: .empty, soon)
    try producer.produce(
      to: topic, Partition(0), key: .empty, value: StaticString("v").view, soon)
    try producer.flush(soon)
    let reader = try TopicReader(settings: cluster.settings(), topic: "t", from: .earliest, soon)
    #expect(
      try reader.everything() == [
        Copied(partition: 0, offset: 0, key: bytes("k"), value: nil),
        Copied(partition: 0, offset: 1, key: nil, value: []),
        Copied(partition: 0, offset: 2, key: [], value: bytes("v")),
      ])
  }

  @Test func `headers come back in order, null apart from empty, and a template stays as it is`()
    throws
  {
    let cluster = try MockCluster(topics: ["t": 1])
    let producer = try PlainProducer(settings: cluster.settings())
    let topic = try producer.open("t", soon)
    let template = RecordHeaders()
    template.add("constant", StaticString("c").view)
    for id in ["1", "2"] {
      let headers = template.copy()
      ByteView.lending(id) { headers.add("id", $0) }
      headers.add("null", nil)
      headers.add("empty", .empty)
      try producer.produce(
        to: topic, Partition(0), key: nil, value: .empty, timestamp: 1_700_000_000_123,
        headers: headers, soon)
    }
    try producer.flush(soon)
    #expect(template.count == 1)
    let reader = try TopicReader(settings: cluster.settings(), topic: "t", from: .earliest, soon)
    var seen: [String] = []
    var times: [Int64?] = []
    try reader.readToEnd(soon) { batch in
      for index in 0..<batch.count {
        times.append(batch.timestamp(at: index))
        #expect(batch.headers(at: index).value(of: "constant") == StaticString("c").view)
        var headers = batch.headers(at: index)
        while let header = headers.next() {
          seen.append("\(header.name.text)=\(header.value?.text ?? "null")")
        }
      }
    }
    let first = ["constant=c", "id=1", "null=null", "empty="]
    #expect(seen == first + ["constant=c", "id=2", "null=null", "empty="])
    #expect(times == [1_700_000_000_123, 1_700_000_000_123])
  }

  @Test func `a reader ends where the topic ended, and follows on`() throws {
    let cluster = try MockCluster(topics: ["t": 2])
    let producer = try PlainProducer(settings: cluster.settings())
    try producer.put("t", 0, ["a", "b"])
    try producer.put("t", 1, ["c"])
    let reader = try TopicReader(settings: cluster.settings(), topic: "t", from: .earliest, soon)
    #expect(reader.partitionCount == 2)
    #expect(try reader.everything().count == 3)
    #expect(reader.isAtEnd)
    #expect(reader.position(Partition(0)) == Offset(2))
    try producer.put("t", 0, ["d"])
    let batch = RecordBatch(capacity: 10)
    let deadline = soon
    while batch.isEmpty && !deadline.hasPassed {
      try reader.poll(into: batch, waitMilliseconds: 50)
    }
    #expect(batch.copied().map(\.value) == [bytes("d")])
  }

  @Test func `a reader starts at an offset, at the end, or where nothing is`() throws {
    let cluster = try MockCluster(topics: ["t": 1, "empty": 1])
    let producer = try PlainProducer(settings: cluster.settings())
    try producer.put("t", 0, ["a", "b", "c"])
    func read(_ topic: String, _ start: TopicReader.Start) throws -> [[UInt8]?] {
      try TopicReader(settings: cluster.settings(), topic: topic, from: start, soon)
        .everything().map(\.value)
    }
    #expect(try read("t", .offset(Offset(2))) == [bytes("c")])
    #expect(try read("t", .offset(Offset(99))) == [])
    #expect(try read("t", .latest) == [])
    #expect(try read("empty", .earliest) == [])
  }

  @Test func `a broker that is away is said to be unreachable by the deadline`() throws {
    let cluster = try MockCluster(topics: ["t": 1])
    cluster.setDown()
    let error = #expect(throws: KafkaError.self) {
      _ = try TopicReader(
        settings: cluster.settings(), topic: "t", from: .earliest, .after(milliseconds: 300))
    }
    #expect(error?.isUnreachable == true)
    #expect(error?.reaction == .retry)
  }
}
