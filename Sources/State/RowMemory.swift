import Records

/// Rows as they lie in a ``RowHeap``: row length u32, key length u32, space u8, size class u8, key,
/// row.
///
/// Kafka carries nothing longer than a gigabyte, so the lengths have bits to spare. They say
/// whether the turn's undo log has what it takes to take the row back, and of a row of a state on
/// disk whether it was used of late, whether the store has it as it is, and whether it is there at
/// all: of an absent one only the key counts.
///
/// A value around a pointer and not a class: reading a row counts no reference, which cost more
/// than the reading. Its owner calls ``destroy()`` at its end.
@safe struct RowMemory {
  private static let keyLengthAt = 4
  private static let spaceAt = 8
  private static let sizeClassAt = 9
  private static let headerBytes = 10
  /// In the row length.
  private static let usedBit: UInt32 = 1 << 31
  private static let notedBit: UInt32 = 1 << 30
  private static let rowLengthMask: UInt32 = notedBit - 1
  /// In the key length.
  private static let dirtyBit: UInt32 = 1 << 31
  private static let absentBit: UInt32 = 1 << 30
  private static let keyLengthMask: UInt32 = absentBit - 1

  private let heap: UnsafeMutablePointer<RowHeap>

  init() {
    unsafe heap = UnsafeMutablePointer<RowHeap>.allocate(capacity: 1)
    unsafe heap.initialize(to: RowHeap())
  }

  func destroy() {
    unsafe heap.pointee.destroy()
    unsafe heap.deinitialize(count: 1)
    unsafe heap.deallocate()
  }

  /// Bytes of all rows that are there, rounded up to their classes.
  var bytesLive: Int { unsafe heap.pointee.bytesLive }
  /// The same with what is kept free.
  var bytesHeld: Int { unsafe heap.pointee.bytesHeld }

  @inline(__always)
  private func address(_ reference: RowReference) -> UnsafeMutableRawPointer {
    unsafe heap.pointee.address(reference)
  }

  @inline(__always)
  private func keyLength(_ at: UnsafeMutableRawPointer) -> Int {
    unsafe Int(
      at.load(fromByteOffset: RowMemory.keyLengthAt, as: UInt32.self) & RowMemory.keyLengthMask)
  }

  @inline(__always)
  func space(_ reference: RowReference) -> UInt8 {
    unsafe address(reference).load(fromByteOffset: RowMemory.spaceAt, as: UInt8.self)
  }

  @inline(__always)
  func key(_ reference: RowReference) -> ByteView {
    let at = unsafe address(reference)
    return unsafe ByteView(
      base: UnsafePointer((at + RowMemory.headerBytes).assumingMemoryBound(to: UInt8.self)),
      count: keyLength(at))
  }

  @inline(__always)
  func row(_ reference: RowReference) -> RowHandle {
    let at = unsafe address(reference)
    return unsafe RowHandle(
      base: at + RowMemory.headerBytes + keyLength(at),
      count: Int(at.load(as: UInt32.self) & RowMemory.rowLengthMask))
  }

  /// Whether a row of `rowLength` bytes has room in the place of the row at `reference`.
  @inline(__always)
  func fits(_ reference: RowReference, _ rowLength: Int) -> Bool {
    let at = unsafe address(reference)
    let sizeClass = unsafe at.load(fromByteOffset: RowMemory.sizeClassAt, as: UInt8.self)
    return unsafe RowMemory.headerBytes + keyLength(at) + rowLength
      <= heap.pointee.size(reference, sizeClass)
  }

  /// Writes `row` over the row at `reference`, where it fits.
  func write(_ reference: RowReference, _ row: ByteView) {
    precondition(fits(reference, row.count), "a row is written where it fits")
    let at = unsafe address(reference)
    let marks = unsafe at.load(as: UInt32.self) & ~RowMemory.rowLengthMask
    unsafe at.storeBytes(of: UInt32(row.count) | marks, as: UInt32.self)
    unsafe (at + RowMemory.headerBytes + keyLength(at)).copyMemory(
      from: row.pointer, byteCount: row.count)
  }

  /// A new row of `rowLength` bytes, all zero.
  func make(_ space: UInt8, _ key: ByteView, rowLength: Int) -> RowReference {
    precondition(
      key.count <= Int(RowMemory.keyLengthMask) && rowLength <= Int(RowMemory.rowLengthMask),
      "Kafka carries nothing so long")
    let needed = RowMemory.headerBytes + key.count + rowLength
    let (reference, sizeClass) = unsafe heap.pointee.allocate(needed)
    let at = unsafe address(reference)
    unsafe at.storeBytes(of: UInt32(rowLength), as: UInt32.self)
    unsafe at.storeBytes(
      of: UInt32(key.count), toByteOffset: RowMemory.keyLengthAt, as: UInt32.self)
    unsafe at.storeBytes(of: space, toByteOffset: RowMemory.spaceAt, as: UInt8.self)
    unsafe at.storeBytes(of: sizeClass, toByteOffset: RowMemory.sizeClassAt, as: UInt8.self)
    let keyAt = unsafe at + RowMemory.headerBytes
    unsafe keyAt.copyMemory(from: key.pointer, byteCount: key.count)
    unsafe (keyAt + key.count).initializeMemory(as: UInt8.self, repeating: 0, count: rowLength)
    return reference
  }

  // MARK: Marks

  /// Marks that the undo log has the row; false when it was marked already.
  @inline(__always)
  func takeNote(_ reference: RowReference) -> Bool {
    let at = unsafe address(reference)
    let length = unsafe at.load(as: UInt32.self)
    if length & RowMemory.notedBit != 0 { return false }
    unsafe at.storeBytes(of: length | RowMemory.notedBit, as: UInt32.self)
    return true
  }

  func dropNote(_ reference: RowReference) {
    let at = unsafe address(reference)
    let length = unsafe at.load(as: UInt32.self)
    unsafe at.storeBytes(of: length & ~RowMemory.notedBit, as: UInt32.self)
  }

  func isDirty(_ reference: RowReference) -> Bool { has(reference, RowMemory.dirtyBit) }
  func setDirty(_ reference: RowReference, _ value: Bool) {
    set(reference, RowMemory.dirtyBit, value)
  }

  func isAbsent(_ reference: RowReference) -> Bool { has(reference, RowMemory.absentBit) }
  func setAbsent(_ reference: RowReference, _ value: Bool) {
    set(reference, RowMemory.absentBit, value)
  }

  /// Notes that the row was used; ``takeUse(_:)`` says so once.
  func use(_ reference: RowReference) {
    let at = unsafe address(reference)
    let length = unsafe at.load(as: UInt32.self)
    if length & RowMemory.usedBit == 0 {
      unsafe at.storeBytes(of: length | RowMemory.usedBit, as: UInt32.self)
    }
  }

  func takeUse(_ reference: RowReference) -> Bool {
    let at = unsafe address(reference)
    let length = unsafe at.load(as: UInt32.self)
    if length & RowMemory.usedBit == 0 { return false }
    unsafe at.storeBytes(of: length & ~RowMemory.usedBit, as: UInt32.self)
    return true
  }

  /// Bytes of the row's place.
  func placeBytes(_ reference: RowReference) -> Int {
    let sizeClass = unsafe address(reference).load(
      fromByteOffset: RowMemory.sizeClassAt, as: UInt8.self)
    return unsafe heap.pointee.size(reference, sizeClass)
  }

  private func has(_ reference: RowReference, _ bit: UInt32) -> Bool {
    unsafe address(reference).load(fromByteOffset: RowMemory.keyLengthAt, as: UInt32.self) & bit
      != 0
  }

  private func set(_ reference: RowReference, _ bit: UInt32, _ value: Bool) {
    let at = unsafe address(reference)
    let old = unsafe at.load(fromByteOffset: RowMemory.keyLengthAt, as: UInt32.self)
    unsafe at.storeBytes(
      of: value ? old | bit : old & ~bit, toByteOffset: RowMemory.keyLengthAt, as: UInt32.self)
  }

  /// Gives the place back: its bytes end here.
  func free(_ reference: RowReference) {
    let sizeClass = unsafe address(reference).load(
      fromByteOffset: RowMemory.sizeClassAt, as: UInt8.self)
    unsafe heap.pointee.free(reference, sizeClass)
  }
}
