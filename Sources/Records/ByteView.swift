/// Bytes lent by an owner: a fetched record, an ``Arena``, a ``ByteBuffer``.
///
/// A view is a borrow that the compiler does not check: it may be used only while its owner has
/// neither been reset, nor freed, nor grown. Every function that hands one out says how long it
/// lasts. To keep bytes longer, copy them (``Arena/copy(_:)`` or ``copied()``).
/// Every access is bounds-checked. A view is not Sendable, so it stays with its owner's thread.
@safe public struct ByteView {
  @usableFromInline let base: UnsafePointer<UInt8>
  /// How many bytes there are.
  public let count: Int

  /// Lends `count` bytes at `base`; the caller answers for their life.
  public init(base: UnsafePointer<UInt8>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// No bytes at all. Not the same as a missing value: that is an `Optional`.
  public static var empty: ByteView { StaticString("").view.prefix(0) }

  /// Whether there are no bytes.
  public var isEmpty: Bool { count == 0 }

  /// The byte at `index`, counted from 0.
  public subscript(index: Int) -> UInt8 {
    precondition(index >= 0 && index < count, "byte index out of range")
    return unsafe base[index]
  }

  /// The bytes of `range`, with the life of this view.
  public subscript(range: Range<Int>) -> ByteView {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range out of range")
    return unsafe ByteView(base: base + range.lowerBound, count: range.count)
  }

  /// The first `length` bytes, or all.
  public func prefix(_ length: Int) -> ByteView { self[0..<min(length, count)] }
  /// The bytes from `start` on.
  public func suffix(from start: Int) -> ByteView { self[start..<count] }

  // Numbers of fixed width, least significant byte first, that begin at `offset`. Each its own
  // function: a generic one is not specialised in other modules.

  /// Two bytes at `offset`, least significant first; checked.
  @inlinable public func uint16(at offset: Int) -> UInt16 { load(UInt16.self, offset) }
  /// Four bytes at `offset`, least significant first; checked.
  @inlinable public func uint32(at offset: Int) -> UInt32 { load(UInt32.self, offset) }
  /// Eight bytes at `offset`, least significant first; checked.
  @inlinable public func uint64(at offset: Int) -> UInt64 { load(UInt64.self, offset) }
  /// Eight bytes at `offset`, least significant first; checked.
  @inlinable public func int64(at offset: Int) -> Int64 { load(Int64.self, offset) }
  /// Sixteen bytes at `offset`, least significant first; checked.
  @inlinable public func int128(at offset: Int) -> Int128 { load(Int128.self, offset) }

  @inlinable @inline(__always)
  func load<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, _ offset: Int)
    -> Number
  {
    precondition(
      offset >= 0 && offset + MemoryLayout<Number>.size <= count, "a number out of range")
    return unsafe Number(
      littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// The raw pointer, for a room that hands bytes to C.
  public var pointer: UnsafePointer<UInt8> { unsafe base }

  /// A copy that lives by itself; allocates.
  public func copied() -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: base, count: count))
  }

  /// A String for people: invalid UTF-8 is replaced. Allocates; never on the hot path.
  public var text: String {
    unsafe String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
  }
}

extension ByteView: Equatable {
  /// Byte by byte.
  public static func == (left: ByteView, right: ByteView) -> Bool {
    unsafe left.count == right.count && memory(left.base, equals: right.base, count: left.count)
  }

  /// Order by bytes, which for UTF-8 is the order of Unicode scalars. Negative, zero or positive.
  public func compare(_ other: ByteView) -> Int {
    let common = min(count, other.count)
    var index = 0
    while index < common {
      let left = unsafe base[index]
      let right = unsafe other.base[index]
      if left != right { return left < right ? -1 : 1 }
      index += 1
    }
    return count - other.count
  }

  /// Whether the first bytes are those of `prefix`.
  public func starts(with prefix: ByteView) -> Bool {
    unsafe count >= prefix.count && memory(base, equals: prefix.base, count: prefix.count)
  }

  /// Whether the last bytes are those of `suffix`.
  public func ends(with suffix: ByteView) -> Bool {
    unsafe count >= suffix.count
      && memory(base + (count - suffix.count), equals: suffix.base, count: suffix.count)
  }
}

/// Eight bytes at a time, the last eight overlapping: keys and field names are short, and a call
/// into libc costs more.
@inline(__always)
private func memory(_ left: UnsafePointer<UInt8>, equals right: UnsafePointer<UInt8>, count: Int)
  -> Bool
{
  let one = unsafe UnsafeRawPointer(left)
  let other = unsafe UnsafeRawPointer(right)
  if count >= 8 {
    var index = 0
    while index < count - 8 {
      if unsafe differ(one, other, index, UInt64.self) { return false }
      index += 8
    }
    return unsafe !differ(one, other, count - 8, UInt64.self)
  }
  if count >= 4 {
    return unsafe !differ(one, other, 0, UInt32.self)
      && !differ(one, other, count - 4, UInt32.self)
  }
  var index = 0
  while index < count {
    if unsafe left[index] != right[index] { return false }
    index += 1
  }
  return true
}

@inline(__always)
private func differ<Word: FixedWidthInteger & BitwiseCopyable>(
  _ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ offset: Int, _ type: Word.Type
) -> Bool {
  unsafe one.loadUnaligned(fromByteOffset: offset, as: Word.self)
    != other.loadUnaligned(fromByteOffset: offset, as: Word.self)
}

extension StaticString {
  /// The bytes of a literal; valid for the life of the process.
  public var view: ByteView {
    unsafe ByteView(base: utf8Start, count: utf8CodeUnitCount)
  }
}

extension ByteView {
  /// Lends the bytes of `text` for the length of `body`. Not for the hot path.
  public static func lending<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows
    -> Result
  {
    var copy = text
    return try copy.withUTF8 { buffer in
      guard let base = buffer.baseAddress else { return try body(.empty) }
      return try unsafe body(ByteView(base: base, count: buffer.count))
    }
  }

  /// Lends the bytes of `array` for the length of `body`.
  public static func lending<Result>(_ array: [UInt8], _ body: (ByteView) throws -> Result)
    rethrows -> Result
  {
    try unsafe array.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return try body(.empty) }
      return try unsafe body(ByteView(base: base, count: buffer.count))
    }
  }

  /// A hash for tables of ours: equal bytes, equal hash, the same in every process and version, so
  /// that nothing depends on a seed. Not for input that must resist an attacker who picks
  /// keys to collide; see `State` for what bounds that. Multiply-and-fold, eight bytes a step.
  public var hash: UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
    let raw = unsafe UnsafeRawPointer(base)
    var index = 0
    while index + 8 <= count {
      let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      state = ByteView.fold(state ^ word, 0xA076_1D64_78BD_642F)
      index += 8
    }
    var tail: UInt64 = 0
    var shift: UInt64 = 0
    while index < count {
      unsafe tail |= UInt64(base[index]) << shift
      shift += 8
      index += 1
    }
    return ByteView.fold(state ^ tail, 0xE703_7ED1_A0B4_28DB)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
