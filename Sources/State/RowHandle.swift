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

  // One function a type: a generic one is not specialised in other modules, and costs 10 ns there.

  package func uint8(at offset: Int) -> UInt8 { load(UInt8.self, offset) }
  package func set(uint8 value: UInt8, at offset: Int) { store(value, offset) }

  package func uint32(at offset: Int) -> UInt32 { load(UInt32.self, offset) }
  package func set(uint32 value: UInt32, at offset: Int) { store(value, offset) }

  package func int64(at offset: Int) -> Int64 { load(Int64.self, offset) }
  package func set(int64 value: Int64, at offset: Int) { store(value, offset) }

  package func int128(at offset: Int) -> Int128 { load(Int128.self, offset) }
  package func set(int128 value: Int128, at offset: Int) { store(value, offset) }

  package func double(at offset: Int) -> Double {
    Double(bitPattern: load(UInt64.self, offset))
  }
  package func set(double value: Double, at offset: Int) { store(value.bitPattern, offset) }

  /// Writes bytes at `offset`; they must fit.
  package func store(_ bytes: ByteView, at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= count, "outside of the row")
    unsafe (base + offset).copyMemory(from: bytes.pointer, byteCount: bytes.count)
  }

  @inline(__always)
  private func load<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ offset: Int
  ) -> Number {
    precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count, "outside of the row")
    return unsafe Number(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: type))
  }

  @inline(__always)
  private func store<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, _ offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count, "outside of the row")
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
  }
}
