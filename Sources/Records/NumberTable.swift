/// Rows of 64-bit numbers that grow at the end and change in place; lives as long as this object.
///
/// What an array in a class costs at each write (whether it is unique) this does not. One thread
/// owns it; every access is bounds-checked.
@safe public final class NumberTable {
  @usableFromInline var base: UnsafeMutablePointer<Int64>
  @usableFromInline var capacity: Int
  @usableFromInline var rows = 0
  /// Numbers in a row.
  public let width: Int
  /// Numbers in all rows.
  @inlinable var filled: Int { rows * width }

  /// An empty table; `width` is at least 1.
  public init(width: Int, capacity rows: Int = 64) {
    precondition(width > 0, "a row has numbers")
    self.width = width
    capacity = max(rows, 1) * width
    unsafe base = UnsafeMutablePointer<Int64>.allocate(capacity: capacity)
  }

  deinit { unsafe base.deallocate() }

  /// How many rows there are.
  @inlinable public var count: Int { rows }

  /// Drops the rows from `row` on; the memory is kept.
  public func truncate(to row: Int) {
    precondition(row >= 0 && row <= rows, "truncate beyond the end")
    rows = row
  }

  /// Adds a row of `value`s and gives its number.
  @discardableResult
  public func append(repeating value: Int64 = 0) -> Int {
    if filled + width > capacity { grow() }
    unsafe (base + filled).update(repeating: value, count: width)
    rows += 1
    return rows - 1
  }

  /// The number in `column` of `row`, both counted from 0; checked.
  @inlinable public subscript(row: Int, column: Int) -> Int64 {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < width, "no such number")
      return unsafe base[row * width + column]
    }
    set {
      precondition(row >= 0 && row < rows && column >= 0 && column < width, "no such number")
      unsafe base[row * width + column] = newValue
    }
  }

  /// Adds a row of eight.
  @inlinable public func append(
    _ a: Int64, _ b: Int64, _ c: Int64, _ d: Int64, _ e: Int64, _ f: Int64, _ g: Int64, _ h: Int64
  ) {
    precondition(width == 8, "this table's rows are not of eight")
    if filled + 8 > capacity { grow() }
    let row = unsafe base + filled
    unsafe row[0] = a
    unsafe row[1] = b
    unsafe row[2] = c
    unsafe row[3] = d
    unsafe row[4] = e
    unsafe row[5] = f
    unsafe row[6] = g
    unsafe row[7] = h
    rows += 1
  }

  @inline(never)
  @usableFromInline func grow() {
    let larger = UnsafeMutablePointer<Int64>.allocate(capacity: capacity * 2)
    unsafe larger.update(from: base, count: filled)
    unsafe base.deallocate()
    unsafe base = larger
    capacity *= 2
  }
}
