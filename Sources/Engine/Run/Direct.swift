import Records

/// The program of a product with `journal: none`: input record in, output records out.
///
/// No state and no journal: what a record becomes depends on it alone, and a redelivered event is
/// published again (its `ce_id` tells a consumer, when the input declares an id).
package final class Direct {
  package let plan: ProductPlan
  /// What became of the records taken since the last ``clearCounts()``.
  package var counts: Counts { counted }
  private var counted = Counts()

  // The plan's and the bench's, here as well as they are used for each record (README.md,
  // "References").
  private let inputs: Lent<InputPlan>
  private let bench: Workbench
  private let keys: ByteBuffer

  package init(_ plan: ProductPlan) {
    self.plan = plan
    inputs = plan.inputs
    bench = plan.workbench
    keys = bench.keys
  }

  package func clearCounts() { counted = Counts() }

  /// Runs the record through the product and appends what it becomes. `recordedMs` is the turn's
  /// clock, in milliseconds since 1970.
  package func take(_ record: SourceRecord, recordedMs: Int64, into batch: OutputBatch) -> Intake {
    inputs.lend(record.input) { take(record, $0, recordedMs, batch) }
  }

  private func take(
    _ record: SourceRecord, _ input: InputPlan, _ recordedMs: Int64, _ batch: OutputBatch
  ) -> Intake {
    let entry = batch.count
    let byte = batch.bytes.count
    counted.read += 1
    switch run(record, input, recordedMs, batch) {
    case .record:
      counted.applied += 1
      return .taken
    case .nothing:
      counted.filtered += 1
      return .taken
    case .failed:
      batch.truncate(toEntry: entry, byte: byte)
      let origin = Origin(
        input: input, partition: record.partition, offset: record.offset, key: record.key,
        value: record.value, time: record.ownTime,
        correction: record.correction, recordedMs: recordedMs)
      let fault = bench.takeFault()
      if plan.stopsOnError || fault.stops { return .stop(fault.stop(origin)) }
      batch.appendQuarantined(origin, fault, limit: plan.limits.quarantineBytesMax)
      counted.quarantined += 1
      return .taken
    }
  }

  private func run(
    _ record: SourceRecord, _ input: InputPlan, _ recordedMs: Int64, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    // A row that is deleted: there is nothing that it could be taken from.
    if record.value == nil && input.isState { return .nothing }
    bench.begin()
    let number = bench.read(record.value, of: input, .whole)
    if number < 0 { return .failed }
    return input.events.lend(number) { run(record, input, $0, recordedMs, batch) }
  }

  private func run(
    _ record: SourceRecord, _ input: InputPlan, _ event: EventPlan, _ recordedMs: Int64,
    _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let work = event.direct
    if work.ports.isEmpty { return .nothing }
    if !bench.keepsContract {
      bench.failContract(event)
      return .failed
    }
    let time = bench.actualTime(slot: event.time.decode, record)
    if !bench.isDue(time, recordedMs: recordedMs, futureMsMax: plan.futureMsMax) {
      return .failed
    }
    bench.setVariables(
      time: time, recordedMs: recordedMs, key: record.key, topic: input.topic.view,
      partition: record.partition, offset: record.offset)
    if input.corrects, !bench.isWhole(record.correction) { return .failed }
    let emission = Emission(
      sourceKey: record.key, partition: record.partition, recordedMs: recordedMs,
      time: time, identity: identity(record, input, event),
      correction: input.corrects ? Direct.correction(record.correction) : .none)
    return bench.emit(work.ports, emission, to: batch)
  }

  /// Its records have the ids of those that they are made of, and so have its corrections.
  private static func correction(_ headers: CorrectionHeaders) -> Correction {
    guard let operation = headers.operation else { return .none }
    if operation != Correction.retractName.view { return .assert }
    return headers.corrects.map { .retractId($0) } ?? .none
  }

  private func identity(
    _ record: SourceRecord, _ input: InputPlan, _ event: EventPlan
  ) -> Emission.Identity {
    if input.corrects, let id = record.correction.id, !id.isEmpty { return .event(id) }
    if event.id.decode >= 0 {
      let start = keys.count
      if keys.appendKeyPart(bench.slots[event.id.decode]), keys.count > start {
        return .event(keys[start..<keys.count])
      }
    }
    return .source(topic: input.topic.view, record.partition, record.offset)
  }
}
