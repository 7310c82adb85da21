import Records

/// Finds rows by space and key: open addressing over 8-byte slots, half hash and half reference.
///
/// Linear probing, at most three quarters full, deletion by moving later slots back (no graves).
/// The hash kept in the slot is enough to double the table without looking at a row, and turns away
/// nearly all other keys; what passes is compared byte by byte. The hash is keyed by a secret of
/// the process, so that no one can send keys that all meet in one place; nothing depends on the
/// order.
@safe final class RowTable {
  private static let slotsMin = 1024

  private var memory = RowMemory()
  private let seed: HashSeed
  private var slots: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private(set) var count = 0
  /// Where ``evict(toAtMost:)`` goes on.
  private var hand = 0

  init(seed: HashSeed) {
    self.seed = seed
    unsafe slots = RowTable.emptySlots(RowTable.slotsMin)
    mask = RowTable.slotsMin - 1
  }

  deinit {
    unsafe slots.deallocate()
    memory.destroy()
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe slots.initialize(repeating: 0, count: count)
    return unsafe slots
  }

  var slotBytes: Int { (mask + 1) * MemoryLayout<UInt64>.size }

  /// The hash of a key in a space: all that ``find(_:_:_:)`` and ``insert(_:_:)`` need to know.
  @inline(__always)
  func hash(_ space: UInt8, _ key: ByteView) -> UInt32 {
    UInt32(truncatingIfNeeded: key.hash(seed: seed) &+ UInt64(space) &* 0x9E37_79B9)
  }

  /// The row of that key, or 0.
  @inline(__always)
  func find(_ space: UInt8, _ key: ByteView, _ hash: UInt32) -> RowReference {
    var place = Int(hash) & mask
    while true {
      let slot = unsafe slots[place]
      let reference = RowReference(truncatingIfNeeded: slot)
      if reference == 0 { return 0 }
      if UInt32(truncatingIfNeeded: slot >> 32) == hash && memory.space(reference) == space
        && memory.key(reference) == key
      {
        return reference
      }
      place = (place + 1) & mask
    }
  }

  /// Adds a row whose key is not in the table.
  func insert(_ hash: UInt32, _ reference: RowReference) {
    if 4 * (count + 1) > 3 * (mask + 1) { double() }
    place(UInt64(hash) << 32 | UInt64(reference))
    count += 1
  }

  @inline(__always)
  private func place(_ slot: UInt64) {
    var place = Int(truncatingIfNeeded: slot >> 32) & mask
    while unsafe slots[place] != 0 { place = (place + 1) & mask }
    unsafe slots[place] = slot
  }

  /// Puts `new` where `old` stands; both have the same key.
  func replace(_ old: RowReference, by new: RowReference) {
    let place = place(of: old)
    unsafe slots[place] = slots[place] & ~0xFFFF_FFFF | UInt64(new)
  }

  /// Takes a row that is in the table out of it; its memory stays.
  func remove(_ reference: RowReference) { remove(at: place(of: reference)) }

  private func remove(at index: Int) {
    var hole = index
    var place = hole
    while true {
      place = (place + 1) & mask
      let slot = unsafe slots[place]
      if slot == 0 { break }
      // A slot may move back if its home is not behind the hole (both counted around the ring).
      let home = Int(truncatingIfNeeded: slot >> 32) & mask
      if (place - home) & mask >= (place - hole) & mask {
        unsafe slots[hole] = slot
        hole = place
      }
    }
    unsafe slots[hole] = 0
    count -= 1
  }

  private func place(of reference: RowReference) -> Int {
    let hash = hash(memory.space(reference), memory.key(reference))
    var place = Int(hash) & mask
    while unsafe RowReference(truncatingIfNeeded: slots[place]) != reference {
      precondition(unsafe slots[place] != 0, "the row is in the table")
      place = (place + 1) & mask
    }
    return place
  }

  private func double() {
    let old = unsafe slots
    let oldCount = mask + 1
    precondition(oldCount < 1 << 31, "a partition holds at most 2^31 rows")
    unsafe slots = RowTable.emptySlots(2 * oldCount)
    mask = 2 * oldCount - 1
    for index in 0..<oldCount where unsafe old[index] != 0 { unsafe place(old[index]) }
    unsafe old.deallocate()
  }

  // MARK: States on disk

  /// Lets clean rows go that were not used since the hand last came by, until all rows take at most
  /// so many bytes, or none is left that may go. What is gone is in the store. Each step of the
  /// hand is one row; at most twice around.
  func evict(toAtMost bytes: Int) {
    var left = 2 * (mask + 1)
    hand &= mask
    while rowBytes > bytes && left > 0 {
      left -= 1
      let reference = unsafe RowReference(truncatingIfNeeded: slots[hand])
      if reference == 0 || memory.isDirty(reference) || memory.takeUse(reference) {
        hand = (hand + 1) & mask
        continue
      }
      // Another may move into the place, and is looked at next.
      remove(at: hand)
      memory.free(reference)
    }
  }

  /// Whether just this row stands in the table under that hash.
  func has(_ hash: UInt32, _ reference: RowReference) -> Bool {
    let wanted = UInt64(hash) << 32 | UInt64(reference)
    var place = Int(hash) & mask
    while true {
      let slot = unsafe slots[place]
      if slot == wanted { return true }
      if slot == 0 { return false }
      place = (place + 1) & mask
    }
  }

  /// Forgets every row and gives all memory back.
  func clear() {
    memory.destroy()
    memory = RowMemory()
    unsafe slots.deallocate()
    unsafe slots = RowTable.emptySlots(RowTable.slotsMin)
    mask = RowTable.slotsMin - 1
    count = 0
    hand = 0
  }

  var heldBytes: Int { memory.bytesHeld + slotBytes }
  @inline(__always)
  func takeNote(_ reference: RowReference) -> Bool { memory.takeNote(reference) }
  func dropNote(_ reference: RowReference) { memory.dropNote(reference) }
  func isDirty(_ reference: RowReference) -> Bool { memory.isDirty(reference) }
  func setDirty(_ reference: RowReference, _ value: Bool) { memory.setDirty(reference, value) }
  func isAbsent(_ reference: RowReference) -> Bool { memory.isAbsent(reference) }
  func setAbsent(_ reference: RowReference, _ value: Bool) { memory.setAbsent(reference, value) }
  func use(_ reference: RowReference) { memory.use(reference) }
  func placeBytes(_ reference: RowReference) -> Int { memory.placeBytes(reference) }

  // MARK: Rows

  /// Bytes of all rows, rounded up to their classes.
  var rowBytes: Int { memory.bytesLive }

  @inline(__always)
  func key(_ reference: RowReference) -> ByteView { memory.key(reference) }
  @inline(__always)
  func row(_ reference: RowReference) -> RowHandle { memory.row(reference) }
  @inline(__always)
  func space(_ reference: RowReference) -> UInt8 { memory.space(reference) }

  /// Whether a row of `rowLength` bytes has room in the place of the row at `reference`.
  @inline(__always)
  func fits(_ reference: RowReference, _ rowLength: Int) -> Bool {
    memory.fits(reference, rowLength)
  }
  /// Writes `row` over the row at `reference`, where it fits.
  @inline(__always)
  func write(_ reference: RowReference, _ row: ByteView) { memory.write(reference, row) }

  /// Makes a row of zeros that is not in the table yet.
  func make(_ space: UInt8, _ key: ByteView, rowLength: Int) -> RowReference {
    memory.make(space, key, rowLength: rowLength)
  }
  /// Gives the memory of a row back that is no longer in the table.
  func free(_ reference: RowReference) { memory.free(reference) }

  /// Every row, in an order that means nothing.
  func forEach(_ body: (RowReference) -> Void) {
    for index in 0...mask {
      let reference = unsafe RowReference(truncatingIfNeeded: slots[index])
      if reference != 0 { body(reference) }
    }
  }
}
