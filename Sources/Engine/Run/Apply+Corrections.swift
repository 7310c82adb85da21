import Formats
import Records
import State

// Records that may be taken back: each is remembered for ever, under its key and id, with its
// position and what has become of it. So a retraction has its effect once, whenever it comes, and
// none if its original comes later, comes again, or has failed.
extension Apply {
  /// What is remembered of a record.
  private enum Fate: UInt8 {
    /// It counts.
    case taken = 1
    /// It has been taken back, perhaps before it came.
    case retracted
    /// It went to quarantine: there is nothing to take back, unless it comes back from there.
    case failed
  }

  private static let rowBytes = 1 + 8 + 4

  /// The record that the event at hand is, or takes back.
  struct Corrected {
    /// As it is remembered, in the bench's keys.
    let key: Range<Int>
    let space: Space
    /// Nil: it was not known.
    let original: Position?
  }

  enum Meeting {
    case goesOn(Corrected, RowChange, Correction)
    /// It has no effect, or none any more.
    case known
    /// A retraction that comes before its original.
    case early
  }

  /// Looks up the record that the event at hand is or takes back, and remembers what becomes of it.
  func meet(
    _ event: JournalEvent, _ id: ByteView, _ key: ByteView, _ operation: ByteView?,
    at position: Position, _ time: Timestamp, _ coming: Coming
  ) -> Meeting {
    let start = keys.count
    appendId(id, key, to: keys)
    let range = start..<keys.count
    let space = Spaces.ids(ofInput: event.input, tables: tables.count)
    let known = state.get(space, keys[range])
    let fate = known.flatMap { Fate(rawValue: $0[0]) }
    let original = known.map { row in
      Position(block: Offset(row.int64(at: 1)), index: row.uint32(at: 9))
    }
    guard operation == Correction.retractName.view else {
      // What comes from quarantine is known to have failed, unless it was taken back meanwhile.
      var isBack = false
      if case .released = coming { isBack = fate == .failed }
      if fate != nil && !isBack { return .known }
      remember(.taken, position, space, keys[range])
      return .goesOn(
        Corrected(key: range, space: space, original: nil),
        RowChange(time: time, mark: mark(position)), operation == nil ? .none : .assert)
    }
    guard let fate, let original else {
      remember(.retracted, position, space, keys[range])
      return .early
    }
    if fate != .taken {
      // It is not to count when it comes back from quarantine, either.
      if fate == .failed { remember(.retracted, original, space, keys[range]) }
      return .known
    }
    remember(.retracted, original, space, keys[range])
    return .goesOn(
      Corrected(key: range, space: space, original: original),
      RowChange(time: time, mark: mark(original), isTakenBack: true),
      .retract(original, round: 0, shift: 0))
  }

  /// The event at hand went to quarantine: what it was to take back counts on, and there is nothing
  /// of it to take back.
  func failed(_ corrected: Corrected, at position: Position) {
    remember(
      corrected.original == nil ? .failed : .taken, corrected.original ?? position,
      corrected.space, keys[corrected.key])
  }

  private func remember(_ fate: Fate, _ position: Position, _ space: Space, _ key: ByteView) {
    let row = state.upsert(space, key, length: Apply.rowBytes).row
    row.set(uint8: fate.rawValue, at: 0)
    row.set(int64: position.block.value, at: 1)
    row.set(uint32: position.index, at: 9)
  }

  /// Tells an event from others in the columns that it gave values to; in the order of bytes as the
  /// events are in that of the journal.
  func mark(_ position: Position) -> Value {
    let start = rows.count
    rows.append(uint64: UInt64(bitPattern: position.block.value).byteSwapped)
    rows.append(uint32: position.index.byteSwapped)
    let mark = arena.copy(rows[start..<rows.count])
    rows.truncate(to: start)
    return .bytes(mark)
  }
}
