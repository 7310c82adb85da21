import Kafka
import Testing
import Worker

@Suite struct TurnMeterTests {
  private let limits = TurnMeter.Limits(
    records: 1000, bytes: 10_000, outputBytes: 50_000, ageMs: 100)

  @Test func `an idle turn never closes, and waits`() {
    let meter = TurnMeter(limits)
    #expect(!meter.isOpen)
    #expect(!meter.shouldClose(nowMs: 1_000_000))
    #expect(meter.waitMs(nowMs: 5) == TurnMeter.idleWaitMs)
  }

  @Test func `a turn closes by records, by bytes in or out or by age, whichever comes first`() {
    var byRecords = TurnMeter(limits)
    byRecords.add(records: 999, bytes: 1, nowMs: 10)
    #expect(!byRecords.shouldClose(nowMs: 109))
    byRecords.add(records: 1, bytes: 1, nowMs: 20)
    #expect(byRecords.shouldClose(nowMs: 20))

    var byBytes = TurnMeter(limits)
    byBytes.add(records: 1, bytes: 10_000, nowMs: 10)
    #expect(byBytes.shouldClose(nowMs: 10))

    var byOutput = TurnMeter(limits)
    byOutput.add(records: 1, bytes: 1, nowMs: 10)
    byOutput.add(outputBytes: 49_999)
    #expect(!byOutput.isFull(nowMs: 10) && !byOutput.shouldClose(nowMs: 10))
    byOutput.add(outputBytes: 1)
    #expect(byOutput.isFull(nowMs: 10) && byOutput.shouldClose(nowMs: 10))
    byOutput.reset()
    #expect(!byOutput.isFull(nowMs: 10))

    var byAge = TurnMeter(limits)
    byAge.add(records: 1, bytes: 1, nowMs: 10)
    #expect(byAge.waitMs(nowMs: 30) == 80)
    #expect(!byAge.shouldClose(nowMs: 109))
    #expect(byAge.shouldClose(nowMs: 110))
    byAge.reset()
    #expect(!byAge.isOpen)
  }

  @Test func `a turn whose states take all the memory that turns may take is full`() {
    var meter = TurnMeter(limits)
    meter.add(records: 1, bytes: 1, nowMs: 10)
    meter.add(stateBytes: 600, of: 1000)
    meter.add(stateBytes: 400, of: 1000)
    #expect(!meter.isFull(nowMs: 10) && !meter.shouldClose(nowMs: 10))
    meter.add(stateBytes: 1, of: 1000)
    #expect(meter.isFull(nowMs: 10) && meter.shouldClose(nowMs: 10))
    meter.committed()
    #expect(!meter.isFull(nowMs: 10))
  }

  @Test func `a turn that goes on applying is full before a broker gives it up`() {
    var meter = TurnMeter(limits)
    meter.add(records: 1, bytes: 1, nowMs: 1000)
    // Beyond its age it closes, but what it has may still be applied.
    #expect(meter.shouldClose(nowMs: 1100) && !meter.isFull(nowMs: 1100))
    #expect(!meter.isFull(nowMs: 1099 + TurnMeter.overtimeMs))
    #expect(meter.isFull(nowMs: 1100 + TurnMeter.overtimeMs))
    meter.reset()
    #expect(!meter.isFull(nowMs: 1_000_000))
  }

  @Test func `the first turn after a start is short, until one is committed`() {
    var meter = TurnMeter(TurnMeter.Limits(records: 50_000, ageMs: 1000))
    meter.expectFirst()
    for _ in 0..<2 {
      meter.add(records: TurnMeter.firstRecords - 1, bytes: 1, nowMs: 10)
      #expect(meter.waitMs(nowMs: 10) == TurnMeter.firstAgeMs)
      #expect(!meter.shouldClose(nowMs: 109))
      #expect(meter.shouldClose(nowMs: 110))
      meter.add(records: 1, bytes: 1, nowMs: 11)
      #expect(meter.shouldClose(nowMs: 11))
      // Taken back: nothing has come out yet.
      meter.reset()
    }
    meter.committed()
    meter.add(records: 49_999, bytes: 1, nowMs: 10)
    #expect(!meter.shouldClose(nowMs: 1009))
    // Never longer than what the settings say.
    var small = TurnMeter(limits)
    small.expectFirst()
    small.add(records: 1000, bytes: 1, nowMs: 10)
    #expect(small.shouldClose(nowMs: 10))
  }

  @Test func `the age of a turn counts from its first record`() {
    var meter = TurnMeter(limits)
    meter.add(records: 1, bytes: 1, nowMs: 1000)
    meter.add(records: 1, bytes: 1, nowMs: 1090)
    #expect(meter.shouldClose(nowMs: 1100))
  }
}

@Suite struct RecoveryTests {
  private func error(
    _ code: Int32, fatal: Bool = false, retriable: Bool = false, abort: Bool = false
  ) -> KafkaError {
    KafkaError(
      code: KafkaErrorCode(value: code), operation: "test", isFatal: fatal,
      isRetriable: retriable, requiresAbort: abort)
  }

  @Test func `an error that asks for an abort rewinds`() {
    #expect(Recovery.from(error(25, abort: true), in: .writing) == .rewind)
    #expect(Recovery.from(error(22, abort: true), in: .writing) == .rewind)
  }

  @Test func `an end of a transaction that did not answer renews the producer`() {
    #expect(Recovery.from(error(-185, retriable: true), in: .ending) == .renewProducer)
    #expect(Recovery.from(error(-185), in: .ending) == .renewProducer)
  }

  @Test func `a fatal error or one without a flag renews the producer`() {
    #expect(Recovery.from(error(45, fatal: true), in: .writing) == .renewProducer)
    #expect(Recovery.from(error(-1), in: .writing) == .renewProducer)
  }

  @Test func `a fenced producer asks first who holds its instance`() {
    for code in [-144, 47, 90] as [Int32] {
      #expect(Recovery.from(error(code, fatal: true), in: .ending) == .askWhoHolds)
    }
  }

  @Test func `a fenced member asks first who holds its instance, and stops with exit code 3`() {
    for phase in [Recovery.Phase.reading, .writing, .ending] {
      #expect(Recovery.from(error(82, fatal: true), in: phase) == .askWhoHolds)
    }
    #expect(StopReason.fenced.exitCode == 3)
  }

  @Test func `a drain that failed does not claim that everything is committed`() {
    let reason = StopReason.undrained("no broker answers")
    #expect(reason.exitCode == 0)
    #expect(reason.message.contains("not committed"))
    #expect(reason.message.contains("no broker answers"))
  }

  @Test func `a refused record stops, because it would be refused again`() {
    for phase in [Recovery.Phase.writing, .ending] {
      for code in [10, 40, 44, 87] as [Int32] {
        guard
          case .stop(.recordRefused(let text)) = Recovery.from(
            error(code, abort: true), in: phase)
        else {
          Issue.record("\(code) must stop")
          continue
        }
        #expect(text.contains("test"))
      }
    }
  }

  @Test func `a turn that fails again and again stops, but not while brokers are away`() {
    var repeats = Repeats()
    for _ in 0..<100 {
      let isAway = repeats.isTooMany(error(-185, retriable: true), in: .ending)
      let hasMoved = repeats.isTooMany(error(22, abort: true), in: .writing)
      #expect(!isAway && !hasMoved)
    }
    for _ in 1..<Repeats.max {
      let isTooMany = repeats.isTooMany(error(2, abort: true), in: .writing)
      #expect(!isTooMany)
    }
    var afterCommit = repeats
    afterCommit.reset()
    let isLast = repeats.isTooMany(error(2, abort: true), in: .writing)
    let isFirst = afterCommit.isTooMany(error(2, abort: true), in: .writing)
    #expect(isLast && !isFirst)
  }

  @Test func `denied access and a refused login stop with a message that helps`() {
    let denied = error(29)
    #expect(Recovery.from(denied, in: .reading) == .stop(.accessDenied(denied)))
    let refused = error(-169)
    guard case .stop(let reason) = Recovery.from(refused, in: .reading) else {
      Issue.record("a refused login must stop")
      return
    }
    #expect(reason.message.contains("worker.yaml"))
  }

  @Test func `a finished consumer joins anew, another trouble of reading rewinds`() {
    #expect(Recovery.from(error(-150, fatal: true), in: .reading) == .rejoin)
    #expect(Recovery.from(error(-185, retriable: true), in: .reading) == .rewind)
  }
}

@Suite struct UnsafeSettingsTests {
  @Test func `only rules that there are can be switched off`() {
    #expect(UnsafeSettings("") == UnsafeSettings.none)
    #expect(UnsafeSettings("offset-rule,fencing")?.disabled == [.offsetRule, .fencing])
    #expect(UnsafeSettings("offsets") == nil)
    #expect(UnsafeSettings("fencing")?.keeps(.gatheredGeneration) == true)
  }
}

@Suite struct InstanceLockTests {
  @Test func `a second worker of one name in a directory is refused with a hint`() throws {
    let directory = "\(temporaryDirectory())/state"
    let first = try InstanceLock(stateDirectory: directory, domain: "claims", instance: "0")
    _ = try InstanceLock(stateDirectory: directory, domain: "claims", instance: "1")
    let held = #expect(throws: InstanceLock.Held.self) {
      _ = try InstanceLock(stateDirectory: directory, domain: "claims", instance: "0")
    }
    #expect(held?.description.contains("--instance") == true)
    withExtendedLifetime(first) {}
  }

  @Test func `a state directory that cannot be written is named`() {
    let held = #expect(throws: InstanceLock.Held.self) {
      _ = try InstanceLock(stateDirectory: "/proc/no", domain: "claims", instance: "0")
    }
    #expect(held?.description.contains("/proc/no") == true)
  }
}
