import Observability
import Synchronization
import Testing

@Suite struct ObservabilityTests {
  struct Stopped: LogEvent {
    static let name = "stopped"
    let product: String
    var level: LogLevel { .error }
    var message: String { "the product stopped" }
    var fields: [LogField] {
      [
        LogField("product", product), LogField("records", 12), LogField("latency_ms", 1.23456),
        LogField("last", true), LogField("empty", ""),
      ]
    }
  }
  struct Detail: LogEvent {
    static let name = "detail"
    var level: LogLevel { .debug }
    var message: String { "m" }
    var fields: [LogField] { [] }
  }
  final class Lines: Sendable {
    let all = Mutex<[String]>([])
    func log(_ format: Log.Format) -> Log {
      Log(format: format, clock: { 1_700_000_000_123 }) { line in
        self.all.withLock { $0.append(line) }
      }
    }
  }

  @Test func `a terminal gets logfmt, machines get JSON, with the same fields`() {
    let lines = Lines()
    lines.log(.logfmt).write(Stopped(product: "cla\"ims"))
    lines.log(.json).write(Stopped(product: "cla\"ims"))
    #expect(
      lines.all.withLock { $0 } == [
        #"time=2023-11-14T22:13:20.123Z level=error event=stopped message="the product stopped""#
          + #" product="cla\"ims" records=12 latency_ms=1.235 last=true empty="""#,
        #"{"time":"2023-11-14T22:13:20.123Z","level":"error","event":"stopped","#
          + #""message":"the product stopped","product":"cla\"ims","records":12,"#
          + #""latency_ms":1.235,"last":true,"empty":""}"#,
      ])
  }

  @Test func `a line holds no line break, whatever a field holds`() {
    let lines = Lines()
    lines.log(.logfmt).write(Stopped(product: "a\nlevel=info"))
    lines.log(.json).write(Stopped(product: "a\nb"))
    #expect(lines.all.withLock { $0.allSatisfy { !$0.contains("\n") } })
  }

  @Test func `what is below the level is left out`() {
    let lines = Lines()
    lines.log(.logfmt).write(Detail())
    #expect(lines.all.withLock { $0.isEmpty })
  }

  @Test func `percentiles are within seven percent of the true ones, and never below`() throws {
    var histogram = LatencyHistogram()
    #expect(histogram.milliseconds(atShare: 0.5) == nil)
    for value in 1...100_000 { histogram.record(microseconds: Int64(value)) }
    for share in [0.5, 0.9, 0.99, 0.999] {
      let truth = share * 100
      let found = try #require(histogram.milliseconds(atShare: share))
      #expect(found >= truth && found < truth * 1.07, "share \(share): \(found)")
    }
    #expect(histogram.milliseconds(atShare: 1) == 100)
  }

  @Test func `every duration has a bucket, and merged histograms count both`() {
    var left = LatencyHistogram()
    for value in [Int64.min, -1, 0, 1, 15, 16, 17, 31, 32, Int64.max] {
      left.record(microseconds: value)
    }
    var right = LatencyHistogram()
    right.record(microseconds: 5)
    right += left
    #expect(right.count == 11)
    #expect(right.microsecondsMax == Int64.max)
    #expect(right.milliseconds(atShare: 0) == 0)
  }
}
