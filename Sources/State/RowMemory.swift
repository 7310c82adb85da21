import Records

/// A row's place in a ``RowMemory``; 0 is none.
typealias RowReference = UInt32

/// Where rows lie: header, key and row one behind another, in chunks that are never moved.
///
/// Sizes are rounded up to classes (steps of 8 bytes up to 512, then four a doubling), and freed
/// places of a class are used again for the same class. A row beyond ``sizeMax`` has a chunk of its
/// own, given back when it goes. A reference counts in units of 8 bytes, which makes 32 GiB a
/// partition the bound; each large row takes a chunk's share of that.
///
/// Layout of a row: row length u32, key length u32, space u8, size class u8, key, row.
@safe final class RowMemory {
  static let chunkBytes = 256 * 1024
  static let headerBytes = 10
  /// The largest size that shares a chunk.
  static let sizeMax = 64 * 1024
  private static let unitShift: UInt32 = 3
  private static let chunkShift: UInt32 = 15
  private static let unitMask: UInt32 = (1 << chunkShift) - 1
  static let largeClass: UInt8 = 255
  /// 64 classes up to 512 bytes, then 4 for each doubling up to 64 KiB.
  private static let classCount = 64 + 4 * 7

  @safe private struct Chunk {
    var base: UnsafeMutableRawPointer
    var bytes: Int
  }

  private var chunks: UnsafeMutablePointer<Chunk>
  private var chunkCapacity = 16
  private var chunkCount = 0
  private var freeHeads: UnsafeMutablePointer<RowReference>
  /// Numbers of chunks whose large row is gone.
  private var freeChunks: ContiguousArray<UInt32> = []
  private var bumpChunk: UInt32 = 0
  private var bumpOffset = RowMemory.chunkBytes
  /// Bytes of all rows that are there, rounded up to their classes.
  private(set) var bytesLive = 0

  init() {
    unsafe chunks = UnsafeMutablePointer<Chunk>.allocate(capacity: chunkCapacity)
    unsafe freeHeads = UnsafeMutablePointer<RowReference>.allocate(capacity: RowMemory.classCount)
    unsafe freeHeads.initialize(repeating: 0, count: RowMemory.classCount)
  }

  deinit {
    for index in 0..<chunkCount where unsafe chunks[index].bytes > 0 {
      unsafe chunks[index].base.deallocate()
    }
    unsafe chunks.deallocate()
    unsafe freeHeads.deallocate()
  }

  @inline(__always)
  private func address(_ reference: RowReference) -> UnsafeMutableRawPointer {
    let chunk = Int(reference >> RowMemory.chunkShift)
    assert(reference != 0 && chunk < chunkCount, "a row's reference is made by its memory")
    return unsafe chunks[chunk].base
      + Int((reference & RowMemory.unitMask) << RowMemory.unitShift)
  }

  // MARK: Parts of a row

  @inline(__always)
  func key(_ reference: RowReference) -> ByteView {
    let at = unsafe address(reference)
    let length = unsafe Int(at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    return unsafe ByteView(
      base: UnsafePointer((at + RowMemory.headerBytes).assumingMemoryBound(to: UInt8.self)),
      count: length)
  }

  @inline(__always)
  func row(_ reference: RowReference) -> RowHandle {
    let at = unsafe address(reference)
    let length = unsafe Int(at.loadUnaligned(as: UInt32.self))
    let keyLength = unsafe Int(at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    return unsafe RowHandle(base: at + RowMemory.headerBytes + keyLength, count: length)
  }

  @inline(__always)
  func space(_ reference: RowReference) -> UInt8 {
    unsafe address(reference).load(fromByteOffset: 8, as: UInt8.self)
  }

  /// Whether a row of `rowLength` bytes has room in the place of the row at `reference`.
  func fits(_ reference: RowReference, _ rowLength: Int) -> Bool {
    RowMemory.headerBytes + key(reference).count + rowLength <= size(reference)
  }

  /// Writes `row` over the row at `reference`, where it fits.
  func replace(_ reference: RowReference, with row: ByteView) {
    precondition(fits(reference, row.count), "the row is written where it fits")
    let at = unsafe address(reference)
    let keyLength = unsafe Int(at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    unsafe at.storeBytes(of: UInt32(row.count), as: UInt32.self)
    unsafe (at + RowMemory.headerBytes + keyLength).copyMemory(
      from: row.pointer, byteCount: row.count)
  }

  // MARK: Making and freeing

  /// A new row of `rowLength` bytes, all zero.
  func make(_ space: UInt8, _ key: ByteView, rowLength: Int) -> RowReference {
    let needed = RowMemory.headerBytes + key.count + rowLength
    let sizeClass = RowMemory.sizeClass(needed)
    let reference =
      sizeClass == RowMemory.largeClass ? allocateLarge(needed) : allocate(sizeClass)
    let at = unsafe address(reference)
    unsafe at.storeBytes(of: UInt32(rowLength), as: UInt32.self)
    unsafe at.storeBytes(of: UInt32(key.count), toByteOffset: 4, as: UInt32.self)
    unsafe at.storeBytes(of: space, toByteOffset: 8, as: UInt8.self)
    unsafe at.storeBytes(of: sizeClass, toByteOffset: 9, as: UInt8.self)
    let keyAt = unsafe at + RowMemory.headerBytes
    unsafe keyAt.copyMemory(from: key.pointer, byteCount: key.count)
    unsafe (keyAt + key.count).initializeMemory(as: UInt8.self, repeating: 0, count: rowLength)
    bytesLive += size(reference)
    return reference
  }

  /// Gives the place back: its bytes end here.
  func free(_ reference: RowReference) {
    bytesLive -= size(reference)
    let at = unsafe address(reference)
    let sizeClass = unsafe at.load(fromByteOffset: 9, as: UInt8.self)
    if sizeClass == RowMemory.largeClass {
      let chunk = reference >> RowMemory.chunkShift
      unsafe at.deallocate()
      unsafe chunks[Int(chunk)].bytes = 0
      freeChunks.append(chunk)
      return
    }
    unsafe at.storeBytes(of: freeHeads[Int(sizeClass)], as: RowReference.self)
    unsafe freeHeads[Int(sizeClass)] = reference
  }

  /// Bytes that the place of a row has, header and key counted.
  private func size(_ reference: RowReference) -> Int {
    let sizeClass = unsafe address(reference).load(fromByteOffset: 9, as: UInt8.self)
    if sizeClass == RowMemory.largeClass {
      return unsafe chunks[Int(reference >> RowMemory.chunkShift)].bytes
    }
    return RowMemory.size(ofClass: sizeClass)
  }

  private func allocate(_ sizeClass: UInt8) -> RowReference {
    let head = unsafe freeHeads[Int(sizeClass)]
    if head != 0 {
      unsafe freeHeads[Int(sizeClass)] = address(head).load(as: RowReference.self)
      return head
    }
    let size = RowMemory.size(ofClass: sizeClass)
    if bumpOffset + size > RowMemory.chunkBytes {
      bumpChunk = addChunk(RowMemory.chunkBytes)
      // The first unit of all is left out, so that no row has the reference 0.
      bumpOffset = bumpChunk == 0 ? 1 << RowMemory.unitShift : 0
    }
    let unit = UInt32(bumpOffset) >> RowMemory.unitShift
    bumpOffset += size
    return bumpChunk << RowMemory.chunkShift | unit
  }

  /// A large row has headroom of an eighth, so that one which grows is not copied each time.
  private func allocateLarge(_ needed: Int) -> RowReference {
    if chunkCount == 0 {
      bumpChunk = addChunk(RowMemory.chunkBytes)
      bumpOffset = 1 << RowMemory.unitShift
    }
    return addChunk(needed + needed / 8) << RowMemory.chunkShift
  }

  private func addChunk(_ bytes: Int) -> UInt32 {
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    if let number = freeChunks.popLast() {
      unsafe chunks[Int(number)] = Chunk(base: base, bytes: bytes)
      return number
    }
    precondition(
      chunkCount < 1 << (32 - RowMemory.chunkShift), "a partition's rows take at most 32 GiB")
    if chunkCount == chunkCapacity {
      let larger = UnsafeMutablePointer<Chunk>.allocate(capacity: 2 * chunkCapacity)
      unsafe larger.update(from: chunks, count: chunkCount)
      unsafe chunks.deallocate()
      unsafe chunks = larger
      chunkCapacity *= 2
    }
    unsafe (chunks + chunkCount).initialize(to: Chunk(base: base, bytes: bytes))
    chunkCount += 1
    return UInt32(chunkCount - 1)
  }

  // MARK: Size classes

  /// Class i below 64 has 8 × (i + 1) bytes; above, (4 + step) / 4 of a power of two.
  static func sizeClass(_ size: Int) -> UInt8 {
    if size <= 512 { return UInt8((max(size, 8) + 7) / 8 - 1) }
    if size > sizeMax { return largeClass }
    let power = Int.bitWidth - 1 - (size - 1).leadingZeroBitCount
    let step = ((size - 1) >> (power - 2)) & 3
    return UInt8(64 + (power - 9) * 4 + step)
  }

  static func size(ofClass sizeClass: UInt8) -> Int {
    let number = Int(sizeClass)
    if number < 64 { return 8 * (number + 1) }
    return (5 + (number - 64) % 4) << (7 + (number - 64) / 4)
  }
}
