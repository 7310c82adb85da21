/// A fixed number of small integers that change in place; lives as long as this object.
///
/// What an array in a class costs at each write (whether it is unique) this does not, nor what a
/// generic type costs in another module (it is not specialised there): for tables on the hot path.
/// One thread owns it; every access is bounds-checked.
@safe public final class Cells {
  @usableFromInline let base: UnsafeMutablePointer<Int32>
  /// How many cells there are.
  public let count: Int

  /// `count` cells with `value` in each.
  public init(count: Int, repeating value: Int32) {
    self.count = count
    unsafe base = UnsafeMutablePointer<Int32>.allocate(capacity: max(count, 1))
    unsafe base.initialize(repeating: value, count: max(count, 1))
  }

  deinit { unsafe base.deallocate() }

  /// The cell at `index`, counted from 0; checked.
  @inlinable public subscript(index: Int) -> Int32 {
    get {
      precondition(index >= 0 && index < count, "cell index out of range")
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count, "cell index out of range")
      unsafe base[index] = newValue
    }
  }

  /// Sets every cell to `value`.
  public func fill(_ value: Int32) { unsafe base.update(repeating: value, count: count) }
}
