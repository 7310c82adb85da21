/// One value in flight: a field of an event, a column of a row, the result of an expression.
///
/// 24 bytes without a reference, so copying costs nothing and nothing is counted. Text, bytes,
/// lists and objects are borrowed from the record or the ``Arena`` they were made in and live as
/// long as that. The static type is known from the checker; the kind says only what is here now.
@safe public struct Value: BitwiseCopyable {
  /// What a value is here and now.
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A field that is not there or JSON null, which is the same in Weft.
    case absent
    case null, bool, int, uint, double, decimal, string, bytes, timestamp, date, duration
    /// Values one after another.
    case list
    /// One value a field, in the order of its static type's fields.
    case object
    /// Keys and values in turns.
    case map
    /// A value of mixed type (`dyn`): its JSON text as it came.
    case json
    /// What an expression gave instead of a value; see ``failure``.
    case error
  }

  @usableFromInline let low: UInt64
  @usableFromInline let high: UInt64
  @usableFromInline let length: UInt32
  @usableFromInline let scale: UInt8
  /// What is here now; the static type says what may be.
  public let kind: Kind

  @inlinable @inline(__always)
  init(_ kind: Kind, low: UInt64 = 0, high: UInt64 = 0, length: UInt32 = 0, scale: UInt8 = 0) {
    self.kind = kind
    self.low = low
    self.high = high
    self.length = length
    self.scale = scale
  }
}

extension Value {
  /// Nothing there.
  @inlinable public static var absent: Value { Value(.absent) }
  /// The literal `null`.
  @inlinable public static var null: Value { Value(.null) }
  /// True or false.
  @inlinable public static func bool(_ value: Bool) -> Value { Value(.bool, low: value ? 1 : 0) }
  /// 64 bits, signed.
  @inlinable public static func int(_ value: Int64) -> Value {
    Value(.int, low: UInt64(bitPattern: value))
  }
  /// 64 bits, unsigned.
  @inlinable public static func uint(_ value: UInt64) -> Value { Value(.uint, low: value) }
  /// A floating-point number.
  @inlinable public static func double(_ value: Double) -> Value {
    Value(.double, low: value.bitPattern)
  }
  /// An exact number.
  @inlinable public static func decimal(_ value: Decimal) -> Value {
    let bits = UInt128(bitPattern: value.mantissa)
    return Value(
      .decimal, low: UInt64(truncatingIfNeeded: bits), high: UInt64(truncatingIfNeeded: bits >> 64),
      scale: value.scale)
  }
  /// Lent UTF-8.
  @inlinable public static func string(_ view: ByteView) -> Value {
    Value(.string, borrowing: view)
  }
  /// Lent bytes.
  @inlinable public static func bytes(_ view: ByteView) -> Value { Value(.bytes, borrowing: view) }
  /// Lent JSON text.
  @inlinable public static func json(_ view: ByteView) -> Value { Value(.json, borrowing: view) }
  /// A moment.
  @inlinable public static func timestamp(_ value: Timestamp) -> Value {
    Value(
      .timestamp, low: UInt64(bitPattern: value.seconds), high: UInt64(value.nanoseconds))
  }
  /// Days since 1970-01-01.
  @inlinable public static func date(days: Int64) -> Value {
    Value(.date, low: UInt64(bitPattern: days))
  }
  /// A span of time: whole seconds and nanoseconds of the same sign.
  @inlinable public static func duration(seconds: Int64, nanoseconds: Int32) -> Value {
    Value(
      .duration, low: UInt64(bitPattern: seconds), high: UInt64(bitPattern: Int64(nanoseconds)))
  }
  /// Values one after another.
  @inlinable public static func list(_ run: ValueRun) -> Value { Value(.list, run) }
  /// One value a field.
  @inlinable public static func object(_ run: ValueRun) -> Value { Value(.object, run) }
  /// `run` holds keys and values in turns.
  @inlinable public static func map(_ run: ValueRun) -> Value { Value(.map, run) }
  /// `code` is one of the evaluator's reasons, `place` what it wants to find again (a code offset).
  @inlinable public static func failure(code: UInt16, place: UInt32) -> Value {
    Value(.error, low: UInt64(code), high: UInt64(place))
  }

  @inlinable init(_ kind: Kind, borrowing view: ByteView) {
    precondition(view.count <= Int(UInt32.max), "a value's text is at most 4 GiB")
    unsafe self.init(
      kind, low: UInt64(UInt(bitPattern: view.pointer)), length: UInt32(view.count))
  }

  @inlinable init(_ kind: Kind, _ run: ValueRun) {
    precondition(run.count <= Int(UInt32.max), "a list holds at most 2^32 values")
    unsafe self.init(kind, low: UInt64(UInt(bitPattern: run.base)), length: UInt32(run.count))
  }
}

/// What is inside. Each accessor may be asked only of the kinds that its comment names: the
/// static type has settled it; in debug builds a wrong question traps.
extension Value {
  /// Whether nothing is there.
  public var isAbsent: Bool { kind == .absent }
  /// Whether an expression failed.
  public var isError: Bool { kind == .error }

  /// Of bool.
  @inlinable public var bool: Bool {
    assert(kind == .bool)
    return low != 0
  }
  /// Of int.
  @inlinable public var int: Int64 {
    assert(kind == .int)
    return Int64(bitPattern: low)
  }
  /// Of uint.
  @inlinable public var uint: UInt64 {
    assert(kind == .uint)
    return low
  }
  /// Of double.
  @inlinable public var double: Double {
    assert(kind == .double)
    return Double(bitPattern: low)
  }
  /// Of decimal.
  @inlinable public var decimal: Decimal {
    assert(kind == .decimal)
    return Decimal(
      mantissa: Int128(truncatingIfNeeded: UInt128(high) << 64 | UInt128(low)), scale: scale)
  }
  /// Of timestamp.
  @inlinable public var timestamp: Timestamp {
    assert(kind == .timestamp)
    return Timestamp(seconds: Int64(bitPattern: low), nanoseconds: UInt32(truncatingIfNeeded: high))
  }
  /// Of date: days since 1970-01-01.
  @inlinable public var dateDays: Int64 {
    assert(kind == .date)
    return Int64(bitPattern: low)
  }
  /// Of duration: whole seconds, and nanoseconds of the same sign.
  public var duration: (seconds: Int64, nanoseconds: Int32) {
    assert(kind == .duration)
    return (Int64(bitPattern: low), Int32(truncatingIfNeeded: Int64(bitPattern: high)))
  }
  /// Of string, bytes and json.
  @inlinable public var view: ByteView {
    assert(kind == .string || kind == .bytes || kind == .json)
    guard let base = unsafe UnsafePointer<UInt8>(bitPattern: UInt(low)) else { return .empty }
    return unsafe ByteView(base: base, count: Int(length))
  }
  /// Of list, object and map.
  @inlinable public var run: ValueRun {
    assert(kind == .list || kind == .object || kind == .map)
    return unsafe ValueRun(base: UnsafeMutablePointer(bitPattern: UInt(low)), count: Int(length))
  }
  /// Of error.
  public var failure: (code: UInt16, place: UInt32) {
    assert(kind == .error)
    return (UInt16(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: high))
  }
}

/// Values one after another in an ``Arena`` or in ``Slots``; lives as long as its owner.
@safe public struct ValueRun {
  @usableFromInline let base: UnsafeMutablePointer<Value>?
  /// How many values there are.
  public let count: Int

  @inlinable init(base: UnsafeMutablePointer<Value>?, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  /// The raw pointer, for a room that has checked the place itself. Of no values: any.
  @inlinable public var pointer: UnsafeMutablePointer<Value> {
    unsafe base ?? UnsafeMutablePointer(bitPattern: MemoryLayout<Value>.alignment).unsafelyUnwrapped
  }

  /// No values at all.
  @inlinable public static var empty: ValueRun { unsafe ValueRun(base: nil, count: 0) }

  /// The value at `index`, counted from 0; checked.
  @inlinable public subscript(index: Int) -> Value {
    get {
      precondition(index >= 0 && index < count, "value index out of range")
      return unsafe base.unsafelyUnwrapped[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "value index out of range")
      unsafe base.unsafelyUnwrapped[index] = newValue
    }
  }

  /// The values of `range`; the same memory.
  public subscript(range: Range<Int>) -> ValueRun {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "value range out of range")
    return unsafe ValueRun(base: base.map { unsafe $0 + range.lowerBound }, count: range.count)
  }

  /// The first `length` values.
  public func prefix(_ length: Int) -> ValueRun {
    unsafe ValueRun(base: base, count: min(length, count))
  }
}

/// A fixed row of values that lives as long as this object: the slots and registers of a program.
public final class Slots {
  /// All values, as long as this object lives.
  public let run: ValueRun

  /// `count` values, all absent.
  public init(count: Int) {
    let base = UnsafeMutablePointer<Value>.allocate(capacity: max(count, 1))
    unsafe base.initialize(repeating: .absent, count: max(count, 1))
    run = unsafe ValueRun(base: base, count: count)
  }

  deinit { unsafe run.base?.deallocate() }

  /// How many values there are.
  public var count: Int { run.count }

  /// The value at `index`, counted from 0; checked.
  @inlinable public subscript(index: Int) -> Value {
    get { run[index] }
    set { run[index] = newValue }
  }
}
