import Records

/// The field names of one object type, so arranged that a member's field is found in a few
/// nanoseconds.
///
/// Producers write the members of a type in one order, so the field that stood in this place in the
/// last object is tried first; else a table is asked, behind a 64-bit filter that turns most
/// unknown names away before they are hashed. A set is used by one walk at a time (it keeps what
/// the last walk has learnt), by one thread. Nothing that is read depends on what it has learnt.
package final class JSONFieldSet {
  /// Members of an object beyond this many are found without a guess.
  private static let guessesMax = 256

  package let count: Int
  private let names: ByteBuffer
  /// Where each name begins in `names`, and where the last one ends.
  private let starts: Cells
  /// Field by hash, −1 where there is none; a power of two, at most half full.
  private let table: Cells
  /// Bit of length, first and last byte, set for each name.
  private let filter: UInt64
  /// What the n-th member was last time.
  private let guesses: Cells
  /// In which walk each field was seen last.
  private let seen: Cells
  private var walk: Int32 = 0
  /// Members that repeated the name of a field of the set, since this object was made. The last one
  /// of a name counts.
  package var duplicates: Int64 { repeats }
  private var repeats: Int64 = 0

  /// Field i has the name `names[i]`; of equal names the first counts.
  package init(_ names: [String]) {
    count = names.count
    let bytes = ByteBuffer(capacity: 64)
    let starts = Cells(count: names.count + 1, repeating: 0)
    var size = 8
    while size < 2 * names.count { size *= 2 }
    let table = Cells(count: size, repeating: -1)
    var filter: UInt64 = 0
    for (field, name) in names.enumerated() {
      bytes.append(name)
      starts[field + 1] = Int32(bytes.count)
      let view = bytes[Int(starts[field])..<bytes.count]
      filter |= JSONFieldSet.filterBit(view)
      var slot = JSONFieldSet.slot(view, size)
      while table[slot] >= 0 { slot = (slot + 1) & (size - 1) }
      table[slot] = Int32(field)
    }
    self.names = bytes
    self.starts = starts
    self.table = table
    self.filter = filter
    guesses = Cells(count: JSONFieldSet.guessesMax, repeating: -1)
    seen = Cells(count: names.count, repeating: 0)
  }

  /// The field of that name, or −1.
  package func field(named name: ByteView) -> Int {
    if filter & JSONFieldSet.filterBit(name) == 0 { return -1 }
    var slot = JSONFieldSet.slot(name, table.count)
    while table[slot] >= 0 {
      let field = Int(table[slot])
      if self.name(field) == name { return field }
      slot = (slot + 1) & (table.count - 1)
    }
    return -1
  }

  /// Begins a walk over the members of the object at `index`, which must be one:
  /// ```
  /// var members = fields.members(of: index, in: tape)
  /// while members.next(fields, tape) { … members.field … members.value … }
  /// ```
  package func members(of index: Int, in tape: JSONTape) -> JSONMembers {
    precondition(tape.kind(at: index) == .object, "only an object has members")
    if walk == .max {
      walk = 0
      seen.fill(0)
    }
    walk += 1
    return JSONMembers(tape.children(of: index))
  }

  @inline(__always)
  private func name(_ field: Int) -> ByteView { names[Int(starts[field])..<Int(starts[field + 1])] }

  private static func filterBit(_ name: ByteView) -> UInt64 {
    if name.isEmpty { return 1 }
    let first = UInt64(name[0])
    let last = UInt64(name[name.count - 1])
    return 1 << ((first &* 7 &+ last &* 3 &+ UInt64(truncatingIfNeeded: name.count)) & 63)
  }

  private static func slot(_ name: ByteView, _ size: Int) -> Int {
    Int(truncatingIfNeeded: name.hash & UInt64(size - 1))
  }

  /// The field of the key at `index`, the `ordinal`-th of its object.
  @inline(__always)
  fileprivate func find(_ tape: JSONTape, _ index: Int, _ ordinal: Int) -> Int {
    let written = tape.escapedText(at: index)
    let guess = ordinal < JSONFieldSet.guessesMax ? Int(guesses[ordinal]) : -1
    let field: Int
    if guess >= 0 && name(guess) == written && !tape.hasEscapes(at: index) {
      field = guess
    } else {
      field = search(tape, index, ordinal)
    }
    if field >= 0 {
      if seen[field] == walk { repeats += 1 }
      seen[field] = walk
    }
    return field
  }

  private func search(_ tape: JSONTape, _ index: Int, _ ordinal: Int) -> Int {
    let written = tape.escapedText(at: index)
    if tape.hasEscapes(at: index) {
      return ByteView.lending(tape.text(at: index)) { self.field(named: $0) }
    }
    let field = field(named: written)
    if field >= 0 && ordinal < JSONFieldSet.guessesMax { guesses[ordinal] = Int32(field) }
    return field
  }
}

/// A walk over the members of one object; ends with the tape's document.
///
/// Holds neither set nor tape, so that it counts no references: each step is given them again, and
/// they must be those of ``JSONFieldSet/members(of:in:)``.
package struct JSONMembers {
  private var at: Int
  private let end: Int
  private var ordinal = -1
  /// The node of this member's value.
  package private(set) var value = 0
  /// The field of this member, −1 when the set does not know it.
  package private(set) var field = -1

  fileprivate init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  /// The node of this member's name.
  package var key: Int { value - 1 }

  /// Goes to the next member; false behind the last one.
  package mutating func next(_ fields: JSONFieldSet, _ tape: JSONTape) -> Bool {
    if at >= end { return false }
    ordinal += 1
    field = fields.find(tape, at, ordinal)
    value = at + 1
    at = tape.next(after: value)
    return true
  }
}
