import Expressions
import Records

/// Output records: evaluated, checked against their contract, appended to the batch.
extension Workbench {
  /// Whether a record came of it.
  enum Emitted {
    case record, nothing, failed

    /// Takes in what came of a further step; false: that one failed.
    @inline(__always)
    mutating func add(_ other: Emitted) -> Bool {
      switch other {
      case .record: self = .record
      case .nothing: break
      case .failed: return false
      }
      return true
    }
  }

  /// Runs the event at hand through event ports.
  @inline(__always)
  func emit(_ ports: Lent<EventPortPlan>, _ emission: Emission, to batch: OutputBatch) -> Emitted {
    var result = Emitted.nothing
    for index in ports.indices {
      if !result.add(ports.lend(index, { emit($0, emission, to: batch) })) { return .failed }
    }
    return result
  }

  /// The same, of an event that may be corrected: what it makes is ``made``.
  func emitRemembering(
    _ ports: Lent<EventPortPlan>, _ emission: Emission, to batch: OutputBatch
  ) -> Emitted {
    var result = Emitted.nothing
    made.clear()
    for index in ports.indices {
      let isGood = ports.lend(index) { port in
        let before = headers.sequence(ofPort: Int(port.port.ordinal))
        let emitted = emit(port, emission, to: batch)
        let records = emitted == .record ? MadeRecords(round: 0, first: before + 1) : .none
        made.append(varint: records.code)
        return result.add(emitted)
      }
      if !isGood { return .failed }
    }
    return result
  }

  /// Runs the event at hand through one event port.
  func emit(_ plan: EventPortPlan, _ emission: Emission, to batch: OutputBatch) -> Emitted {
    let start = batch.bytes.count
    var result = Emitted.nothing
    var way = follow(plan.branch)
    while way == .on {
      if !result.add(emitOne(plan, emission, to: batch)) { return .failed }
      if plan.branch.explodes && batch.bytes.count - start > Limits.eventBytesMax {
        failSize(ofEventAt: plan.port.contractId)
        return .failed
      }
      way = followNext(plan.branch)
    }
    return way == .failed ? .failed : result
  }

  @inline(__always)
  private func emitOne(_ plan: EventPortPlan, _ emission: Emission, to batch: OutputBatch)
    -> Emitted
  {
    if plan.hasWhen {
      switch test(plan.when, frame) {
      case .on: break
      case .out, .held: return .nothing
      case .failed: return .failed
      }
    }
    let bytes = batch.bytes
    let keyStart = bytes.count
    var hasKey = true
    if plan.key.isSource {
      if let key = emission.sourceKey { bytes.append(key) } else { hasKey = false }
    } else if !appendKey(plan.key, to: bytes) {
      return .failed
    }
    let keyEnd = bytes.count
    if !append(plan.columns, plan.shape, plan.port, frame, to: bytes) { return .failed }
    let valueEnd = bytes.count
    let target =
      hasKey
      ? Records.partition(ofKey: bytes[keyStart..<keyEnd], among: plan.port.partitions)
      : Partition(emission.partition.value % plan.port.partitions)
    return finish(
      plan.port, emission, batch, to: target, key: keyStart..<keyEnd, hasKey: hasKey,
      value: keyEnd..<valueEnd, emission.correction)
  }

  /// Publishes the row at hand at one state port; nil as `isPublished` says it is not there yet.
  /// A row that `when` no longer lets through is taken back by a tombstone.
  func emit(
    _ plan: StatePortPlan, key: ByteView, isPublished: inout Bool, _ emission: Emission,
    to batch: OutputBatch
  ) -> Emitted {
    var isLetThrough = true
    if plan.hasWhen {
      switch test(plan.when, rowFrame) {
      case .on: break
      case .out, .held: isLetThrough = false
      case .failed: return .failed
      }
    }
    if !isLetThrough && !isPublished { return .nothing }
    isPublished = isLetThrough
    if !isLetThrough { return withdraw(plan.port, key: key, emission, to: batch) }
    let bytes = batch.bytes
    let keyStart = bytes.count
    bytes.append(key)
    let keyEnd = bytes.count
    if !append(plan.columns, plan.shape, plan.port, rowFrame, to: bytes) { return .failed }
    return finish(
      plan.port, emission, batch, to: emission.partition, key: keyStart..<keyEnd, hasKey: true,
      value: keyEnd..<bytes.count)
  }

  /// Publishes at a state port that the row of a key is there no more: a tombstone.
  func withdraw(_ port: PortPlan, key: ByteView, _ emission: Emission, to batch: OutputBatch)
    -> Emitted
  {
    let bytes = batch.bytes
    let start = bytes.count
    bytes.append(key)
    return finish(
      port, emission, batch, to: emission.partition, key: start..<bytes.count, hasKey: true,
      value: nil)
  }

  /// Writes the fields of a record; false when one fails or breaks the contract.
  @inline(__always)
  private func append(
    _ columns: ContiguousArray<Term>, _ shape: OutputShape, _ port: PortPlan, _ frame: Frame,
    to bytes: ByteBuffer
  ) -> Bool {
    var writer = RecordWriter(into: bytes)
    for index in columns.indices {
      let value = columns[index].evaluate(frame)
      if value.isError {
        fail(columns[index].fault(value))
        return false
      }
      if !writer.member(shape, shape.columns[index], value, bytes) {
        failContract(port, writer.fault?.message(shape) ?? "a field breaks its contract")
        return false
      }
    }
    writer.end(bytes)
    return true
  }

  private func failContract(_ port: PortPlan, _ message: String) {
    fail(
      RunFault(
        reason: "contract-output", message: message, place: port.contractId,
        stops: port.stopsOnViolation))
  }

  /// Whether a record is not too large; else that fails.
  @inline(__always)
  private func fits(_ port: PortPlan, _ size: Int) -> Bool {
    if size + PortPlan.overheadBytes <= Limits.outputBytesMax { return true }
    failContract(port, "the record takes \(size) bytes, more than a record may")
    return false
  }

  @inline(__always)
  private func finish(
    _ port: PortPlan, _ emission: Emission, _ batch: OutputBatch, to partition: Partition,
    key: Range<Int>, hasKey: Bool, value: Range<Int>?, _ correction: Correction = .none
  ) -> Emitted {
    let bytes = batch.bytes
    if emission.isTrial {
      let size = bytes.count - key.lowerBound + HeaderWriter.bytesMax
      bytes.truncate(to: key.lowerBound)
      return fits(port, size) ? .nothing : .failed
    }
    let start = bytes.count
    if port.hasHeaders { headers.append(emission, port: Int(port.ordinal), to: bytes) }
    headers.append(correction, emission, port: Int(port.ordinal), to: bytes)
    if !fits(port, bytes.count - key.lowerBound) { return .failed }
    batch.append(
      OutputBatch.Entry(
        port: port.ordinal, partition: partition.value, timestampMs: emission.recordedMs,
        key: key, value: value, headers: start..<bytes.count, hasKey: hasKey))
    return .record
  }
}
