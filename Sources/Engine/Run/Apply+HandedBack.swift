import Formats
import Records
import State

// Events that another journal has handed on and may take back, to hand them on as of somebody else:
// each is known by where that journal has it, and by how often it was handed on. A state remembers
// only of those that came to nothing that there is nothing to take back.
extension Apply {
  private enum HandedFate: UInt8 {
    /// It went to quarantine, and may come back from there.
    case failed = 1
    /// It was taken back there.
    case takenBack
  }

  /// Whether anything is to be made of a handed event, or taken back.
  func isDue(_ origin: JournalOrigin, _ coming: Coming) -> Bool {
    var isReleased = false
    if case .released = coming { isReleased = true }
    if origin.isTakenBack == isReleased {
      // It comes as it was handed on; or it could not be taken back before.
      if !isReleased { handed = origin }
      return true
    }
    let start = rows.count
    defer { rows.truncate(to: start) }
    appendRound(of: origin)
    let key = rows[start..<rows.count]
    let isFailed = state.get(Spaces.handedFates, key)?[0] == HandedFate.failed.rawValue
    if origin.isTakenBack {
      if isFailed { keep(.takenBack, key) }
      return !isFailed
    }
    if isFailed {
      state.delete(Spaces.handedFates, key)
      handed = origin
    }
    return isFailed
  }

  /// The event at hand went to quarantine.
  func failed(_ origin: JournalOrigin) {
    let start = rows.count
    appendRound(of: origin)
    keep(.failed, rows[start..<rows.count])
    rows.truncate(to: start)
  }

  private func keep(_ fate: HandedFate, _ key: ByteView) {
    state.upsert(Spaces.handedFates, key, length: 1).row.set(uint8: fate.rawValue, at: 0)
  }

  /// Tells a handed event from others in the columns that it gave values to; in the order of bytes
  /// as a rebuild merges what is handed on: so `first`, `last` and `collect` are the same however
  /// often links change. What ingest has brought to the same journal comes before.
  func mark(_ origin: JournalOrigin) -> Value {
    let start = rows.count
    appendMark(origin)
    let mark = arena.copy(rows[start..<rows.count])
    rows.truncate(to: start)
    return .bytes(mark)
  }

  private func appendMark(_ origin: JournalOrigin) {
    rows.append(uint64: UInt64(bitPattern: origin.recordedMs).byteSwapped)
    rows.append(UInt8(truncatingIfNeeded: origin.journal))
    rows.append(uint32: UInt32(bitPattern: origin.partition.value).byteSwapped)
    rows.append(uint64: UInt64(bitPattern: origin.position.block.value).byteSwapped)
    rows.append(uint32: origin.position.index.byteSwapped)
    rows.append(UInt8(truncatingIfNeeded: origin.way))
  }

  private func appendRound(of origin: JournalOrigin) {
    appendMark(origin)
    rows.append(varint: UInt64(origin.correction?.round ?? 0))
  }

  /// Publishes and keeps the rows that the event at hand was taken from.
  func keepLeft(_ staged: inout StagedRows, _ emission: Emission, _ batch: OutputBatch) -> Outcome {
    settle(&staged)
    if !publishLeft(&staged, emission, batch) { return .failed }
    return keepRows(staged) ? .applied : .filtered
  }
}

extension JournalOrigin {
  /// Whether it takes back what was handed on.
  var isTakenBack: Bool { correction?.isTakenBack ?? false }
}
