/// Bytes that grow at the end: where records, blocks and rows are written.
///
/// One thread owns it. ``view`` and its parts end with the next append or ``clear()``; keep ranges
/// over appends instead. The memory is kept over a clear.
@safe public final class ByteBuffer {
  // Known to callers' modules, so that the small functions are inlined there.
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  @usableFromInline var length = 0
  /// How many bytes were written.
  @inlinable public var count: Int { length }

  /// An empty buffer with room for `capacity` bytes.
  public init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    unsafe base = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity)
  }

  deinit { unsafe base.deallocate() }

  /// Whether nothing was written.
  @inlinable public var isEmpty: Bool { count == 0 }
  /// All bytes, until the next append or clear.
  @inlinable public var view: ByteView { unsafe ByteView(base: UnsafePointer(base), count: count) }
  /// The bytes of `range`, until the next append or clear.
  @inlinable public subscript(range: Range<Int>) -> ByteView { view[range] }

  /// Drops all bytes and keeps the memory.
  @inlinable public func clear() { length = 0 }

  /// Drops all bytes, and the memory as well where it is more than this.
  public func clear(keeping bytes: Int) {
    length = 0
    if capacity <= bytes { return }
    unsafe base.deallocate()
    capacity = 4096
    unsafe base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
  }

  /// Drops what stands at and after `length`.
  public func truncate(to length: Int) {
    precondition(length >= 0 && length <= count, "truncate beyond the end")
    self.length = length
  }

  /// Adds at the end.
  @inlinable public func append(_ byte: UInt8) {
    if count == capacity { grow(1) }
    unsafe base[count] = byte
    length += 1
  }

  /// Adds at the end.
  @inlinable public func append(_ bytes: ByteView) {
    let count = bytes.count
    let place = unsafe reserve(count)
    if count > 16 {
      unsafe place.update(from: bytes.pointer, count: count)
    } else {
      unsafe ByteBuffer.copy(bytes.pointer, to: place, upTo16: count)
    }
    length &+= count
  }

  /// Names and short texts, without a call into libc: two words that overlap.
  @inlinable @inline(__always)
  static func copy(
    _ source: UnsafePointer<UInt8>, to place: UnsafeMutablePointer<UInt8>, upTo16 count: Int
  ) {
    let from = unsafe UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(place)
    if count >= 8 {
      let first = unsafe from.loadUnaligned(as: UInt64.self)
      let last = unsafe from.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      unsafe to.storeBytes(of: first, as: UInt64.self)
      unsafe to.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
    } else if count >= 4 {
      let first = unsafe from.loadUnaligned(as: UInt32.self)
      let last = unsafe from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
      unsafe to.storeBytes(of: first, as: UInt32.self)
      unsafe to.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
    } else if count > 0 {
      // One to three bytes: the first, the middle and the last.
      let middle = unsafe source[count &>> 1]
      let last = unsafe source[count &- 1]
      unsafe place.pointee = source.pointee
      unsafe place[count &>> 1] = middle
      unsafe place[count &- 1] = last
    }
  }

  /// Makes room for `more` bytes and gives the place where they go, for a room that writes them
  /// itself and then says so by ``advance(by:)``.
  @inlinable @inline(__always)
  public func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if more > capacity &- length { grow(more) }
    return unsafe base + length
  }

  /// `count` bytes were written at the end, where room was made for them.
  @inlinable @inline(__always)
  public func advance(by count: Int) {
    precondition(count >= 0 && count <= capacity &- length, "room was made before")
    length &+= count
  }

  /// Adds at the end.
  public func append(_ literal: StaticString) { append(literal.view) }
  /// Adds at the end.
  public func append(_ text: String) { ByteView.lending(text) { append($0) } }
  /// Adds at the end.
  public func append(_ array: [UInt8]) { ByteView.lending(array) { append($0) } }

  /// The number in decimal digits.
  public func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  /// The number in decimal digits.
  public func append(decimal value: UInt64) {
    let place = unsafe reserve(20)
    let digits = ByteBuffer.digits(value)
    unsafe ByteBuffer.write(value, digits, at: place)
    length &+= digits
  }

  /// The number in decimal digits with a point before the last `places` of them, of which there are
  /// at most 18: `12.50` for 1250 and 2, `0.05` for 5 and 2.
  public func append(decimal value: UInt64, places: Int) {
    precondition(places >= 0 && places <= 18, "a number has at most 18 decimal places")
    let place = unsafe reserve(40)
    let digits = max(ByteBuffer.digits(value), places &+ 1)
    unsafe ByteBuffer.write(value, digits, at: place)
    length &+= digits
    if places == 0 { return }
    // The places make room for the point.
    length &+= 1
    let point = unsafe place + (digits &- places)
    var at = unsafe place + digits
    while unsafe at > point {
      unsafe at.pointee = at[-1]
      unsafe at -= 1
    }
    unsafe point.pointee = UInt8(ascii: ".")
  }

  /// Writes so many digits, zeros before the number where it has fewer.
  @inline(__always)
  static func write(_ value: UInt64, _ digits: Int, at place: UnsafeMutablePointer<UInt8>) {
    let pairs = unsafe UnsafeRawPointer(ByteBuffer.pairs.utf8Start)
    var rest = value
    var at = digits
    // Two digits a division: half as many as one by one.
    while at >= 2 {
      at &-= 2
      let quotient = rest / 100
      let pair = Int(truncatingIfNeeded: rest &- quotient &* 100) &* 2
      rest = quotient
      unsafe UnsafeMutableRawPointer(place + at).storeBytes(
        of: pairs.loadUnaligned(fromByteOffset: pair, as: UInt16.self), as: UInt16.self)
    }
    if at == 1 { unsafe place.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
  }

  /// `00` to `99`, one after another.
  private static let pairs: StaticString = """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445\
    46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091\
    9293949596979899
    """

  /// How many digits a number has: 1 for 0.
  @inline(__always)
  private static func digits(_ value: UInt64) -> Int {
    var digits = 1
    var rest = value
    while rest >= 10_000 {
      rest /= 10_000
      digits &+= 4
    }
    return digits &+ (rest >= 10 ? 1 : 0) &+ (rest >= 100 ? 1 : 0) &+ (rest >= 1000 ? 1 : 0)
  }

  /// A number of fixed width, least significant byte first.
  @inlinable public func append<Number: FixedWidthInteger>(littleEndian value: Number) {
    let size = MemoryLayout<Number>.size
    if count + size > capacity { grow(size) }
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(
      of: value.littleEndian, as: Number.self)
    length += size
  }

  /// The same for the widths of rows and blocks: a generic function is not specialised in other
  /// modules.
  public func append(uint32 value: UInt32) { append(littleEndian: value) }
  /// Eight bytes, least significant first.
  public func append(int64 value: Int64) { append(littleEndian: value) }
  /// Eight bytes, least significant first.
  public func append(uint64 value: UInt64) { append(littleEndian: value) }
  /// Sixteen bytes, least significant first.
  public func append(int128 value: Int128) { append(littleEndian: value) }

  /// An unsigned LEB128 number: 7 bits a byte, least significant first.
  public func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// A signed number, zigzag and LEB128.
  public func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Overwrites the bytes that begin at `index`; they must be there.
  public func replace<Number: FixedWidthInteger>(at index: Int, littleEndian value: Number) {
    precondition(index >= 0 && index + MemoryLayout<Number>.size <= count, "replace out of range")
    unsafe UnsafeMutableRawPointer(base + index).storeBytes(
      of: value.littleEndian, as: Number.self)
  }

  /// Overwrites the four bytes that begin at `index`, least significant first.
  public func replace(at index: Int, uint32 value: UInt32) {
    precondition(index >= 0 && index + 4 <= count, "replace out of range")
    unsafe UnsafeMutableRawPointer(base + index).storeBytes(of: value.littleEndian, as: UInt32.self)
  }

  @inline(never)
  @usableFromInline func grow(_ more: Int) {
    var size = capacity
    while size < count + more { size *= 2 }
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    unsafe larger.update(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = larger
    capacity = size
  }
}

/// Reads what ``ByteBuffer`` wrote, from front to back; nil or false where the bytes do not
/// suffice.
@safe public struct ByteReader {
  /// What is read from.
  public let view: ByteView
  /// Where the next byte is read.
  public private(set) var position = 0

  /// Reads `view` from its beginning.
  public init(_ view: ByteView) { self.view = view }

  /// Bytes not read yet.
  public var left: Int { view.count - position }

  /// The next byte; nil at the end.
  public mutating func byte() -> UInt8? {
    if position == view.count { return nil }
    position += 1
    return view[position - 1]
  }

  /// The next `length` bytes, with the life of the view.
  public mutating func bytes(_ length: Int) -> ByteView? {
    if length < 0 || length > left { return nil }
    position += length
    return view[position - length..<position]
  }

  /// A number of four bytes, least significant first.
  @inline(__always)
  public mutating func uint32() -> UInt32? {
    if left < 4 { return nil }
    position += 4
    return unsafe UInt32(
      littleEndian: UnsafeRawPointer(view.pointer).loadUnaligned(
        fromByteOffset: position - 4, as: UInt32.self))
  }

  /// Nil when fewer than eight bytes are left.
  public mutating func uint64() -> UInt64? {
    guard left >= 8 else { return nil }
    defer { position += 8 }
    return UInt64(bitPattern: view.int64(at: position))
  }

  /// An unsigned LEB128 number; nearly all take one byte.
  @inline(__always)
  public mutating func varint() -> UInt64? {
    if position < view.count {
      let first = view[position]
      if first < 0x80 {
        position += 1
        return UInt64(first)
      }
    }
    return longVarint()
  }

  private mutating func longVarint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let next = byte() {
      if shift == 63 && next > 1 { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
      if shift > 63 { return nil }
    }
    return nil
  }

  /// A signed number, zigzag and LEB128; nil when it does not end.
  public mutating func zigzag() -> Int64? {
    guard let raw = varint() else { return nil }
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// Not for the hot path: it is not always specialised in other modules, and then costs 30 ns.
  public mutating func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    let size = MemoryLayout<Number>.size
    guard let bytes = bytes(size) else { return nil }
    return unsafe Number(
      littleEndian: UnsafeRawPointer(bytes.pointer).loadUnaligned(as: Number.self))
  }
}
