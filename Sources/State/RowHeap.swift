/// A row's place; 0 is none. Counts units of 8 bytes: chunk number above, place in the chunk below.
typealias RowReference = UInt32

/// Gives out places for rows, in chunks that are never moved.
///
/// Sizes are rounded up to classes (steps of 8 bytes up to 512, then four a doubling), and freed
/// places of a class are used again for the same class. What is larger than ``sizeMax`` has a chunk
/// of its own, given back when it goes. References of 32 bits bound a partition at 32 GiB; each
/// large row takes a chunk's share of that.
@safe struct RowHeap {
  static let chunkBytes = 256 * 1024
  /// The largest size that shares a chunk.
  static let sizeMax = 64 * 1024
  static let largeClass: UInt8 = 255
  private static let unitShift: UInt32 = 3
  private static let chunkShift: UInt32 = 15
  private static let unitMask: UInt32 = (1 << chunkShift) - 1
  private static let chunksMax = 1 << (32 - chunkShift)
  /// 64 classes up to 512 bytes, then 4 for each doubling up to 64 KiB.
  private static let classCount = 64 + 4 * 7

  @safe private struct Chunk {
    var base: UnsafeMutableRawPointer
    /// 0 when its large row is gone.
    var bytes: Int
  }

  private var chunks: UnsafeMutablePointer<Chunk>
  private var chunkCapacity = 16
  private var chunkCount = 0
  /// The first free place of each size class; a free place begins with the next one's reference.
  private var freeHeads: UnsafeMutablePointer<RowReference>
  /// Numbers of chunks whose large row is gone.
  private var freeChunks: ContiguousArray<UInt32> = []
  private var bumpChunk: UInt32 = 0
  private var bumpOffset = 0
  /// Bytes of all places given out, rounded up to their classes.
  private(set) var bytesLive = 0
  /// Bytes of all chunks, with what is free in them.
  private(set) var bytesHeld = 0

  init() {
    unsafe chunks = UnsafeMutablePointer<Chunk>.allocate(capacity: chunkCapacity)
    unsafe freeHeads = UnsafeMutablePointer<RowReference>.allocate(capacity: RowHeap.classCount)
    unsafe freeHeads.initialize(repeating: 0, count: RowHeap.classCount)
    bumpChunk = addChunk(RowHeap.chunkBytes)
    // The first unit of all is left out, so that no place has the reference 0.
    bumpOffset = 1 << RowHeap.unitShift
  }

  /// Gives everything back; to be called once, at the owner's end.
  func destroy() {
    for index in 0..<chunkCount {
      if unsafe chunks[index].bytes > 0 { unsafe chunks[index].base.deallocate() }
    }
    unsafe chunks.deallocate()
    unsafe freeHeads.deallocate()
  }

  @inline(__always)
  func address(_ reference: RowReference) -> UnsafeMutableRawPointer {
    let chunk = Int(reference >> RowHeap.chunkShift)
    assert(reference != 0 && chunk < chunkCount, "a reference is made by its heap")
    return unsafe chunks[chunk].base
      + Int((reference & RowHeap.unitMask) << RowHeap.unitShift)
  }

  /// A place of at least `needed` bytes, not initialised, and the class to free it with.
  mutating func allocate(_ needed: Int) -> (RowReference, sizeClass: UInt8) {
    let sizeClass = RowHeap.sizeClass(needed)
    if sizeClass == RowHeap.largeClass {
      // Headroom of an eighth, so that a row which grows is not copied each time.
      let reference = addChunk(needed + needed / 8) << RowHeap.chunkShift
      bytesLive += size(reference, sizeClass)
      return (reference, sizeClass)
    }
    let size = RowHeap.size(ofClass: sizeClass)
    bytesLive += size
    let head = unsafe freeHeads[Int(sizeClass)]
    if head != 0 {
      unsafe freeHeads[Int(sizeClass)] = address(head).load(as: RowReference.self)
      return (head, sizeClass)
    }
    if bumpOffset + size > RowHeap.chunkBytes {
      bumpChunk = addChunk(RowHeap.chunkBytes)
      bumpOffset = 0
    }
    let unit = UInt32(bumpOffset) >> RowHeap.unitShift
    bumpOffset += size
    return (bumpChunk << RowHeap.chunkShift | unit, sizeClass)
  }

  /// Takes a place back: its bytes end here.
  mutating func free(_ reference: RowReference, _ sizeClass: UInt8) {
    bytesLive -= size(reference, sizeClass)
    let at = unsafe address(reference)
    if sizeClass == RowHeap.largeClass {
      let chunk = reference >> RowHeap.chunkShift
      bytesHeld -= size(reference, sizeClass)
      unsafe at.deallocate()
      unsafe chunks[Int(chunk)].bytes = 0
      freeChunks.append(chunk)
      return
    }
    unsafe at.storeBytes(of: freeHeads[Int(sizeClass)], as: RowReference.self)
    unsafe freeHeads[Int(sizeClass)] = reference
  }

  private mutating func addChunk(_ bytes: Int) -> UInt32 {
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    bytesHeld += bytes
    if let number = freeChunks.popLast() {
      unsafe chunks[Int(number)] = Chunk(base: base, bytes: bytes)
      return number
    }
    precondition(chunkCount < RowHeap.chunksMax, "a partition's rows take at most 32 GiB")
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

  /// Bytes that the place at `reference` has.
  @inline(__always)
  func size(_ reference: RowReference, _ sizeClass: UInt8) -> Int {
    if sizeClass == RowHeap.largeClass {
      return unsafe chunks[Int(reference >> RowHeap.chunkShift)].bytes
    }
    return RowHeap.size(ofClass: sizeClass)
  }

  /// Class i below 64 has 8 × (i + 1) bytes; above, (5 + step) / 4 of a power of two.
  private static func sizeClass(_ size: Int) -> UInt8 {
    if size <= 512 { return UInt8((max(size, 8) + 7) / 8 - 1) }
    if size > sizeMax { return largeClass }
    let power = Int.bitWidth - 1 - (size - 1).leadingZeroBitCount
    let step = ((size - 1) >> (power - 2)) & 3
    return UInt8(64 + (power - 9) * 4 + step)
  }

  @inline(__always)
  private static func size(ofClass sizeClass: UInt8) -> Int {
    let number = Int(sizeClass)
    if number < 64 { return 8 * (number + 1) }
    return (5 + (number - 64) % 4) << (7 + (number - 64) / 4)
  }
}
