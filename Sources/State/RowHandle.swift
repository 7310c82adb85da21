import Records

/// A row in place, to be read and changed field by field without encoding it anew.
///
/// Lent by ``PartitionState``; ends with the state's next write or turn. Offsets are in bytes from
/// the row's start, numbers little-endian; every access is bounds-checked.
@safe package struct RowHandle {
  private let base: UnsafeMutableRawPointer
  package let count: Int

  init(base: UnsafeMutableRawPointer, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// The row's bytes, with the life of the handle.
  package var view: ByteView {
    unsafe ByteView(base: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: count)
  }

  /// The number at `offset`.
  @inline(__always)
  package func load<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count, "outside of the row")
    return unsafe Number(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// Writes the number at `offset`.
  @inline(__always)
  package func store<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count, "outside of the row")
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
  }

  /// Writes bytes at `offset`; they must fit.
  package func store(_ bytes: ByteView, at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= count, "outside of the row")
    unsafe (base + offset).copyMemory(from: bytes.pointer, byteCount: bytes.count)
  }
}
