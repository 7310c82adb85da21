/// A fixed number of plain values that change in place; lives as long as this object.
///
/// What an array in a class costs at each write (exclusivity, uniqueness) this does not: for tables
/// on the hot path. One thread owns it; every access is bounds-checked.
@safe package final class Cells<Element: BitwiseCopyable> {
  private let base: UnsafeMutablePointer<Element>
  package let count: Int

  package init(count: Int, repeating value: Element) {
    self.count = count
    unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
    unsafe base.initialize(repeating: value, count: max(count, 1))
  }

  deinit { unsafe base.deallocate() }

  package subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "cell index out of range")
      return unsafe base[index]
    }
    @inline(__always) set {
      precondition(index >= 0 && index < count, "cell index out of range")
      unsafe base[index] = newValue
    }
  }

  /// Sets every cell to `value`.
  package func fill(_ value: Element) { unsafe base.update(repeating: value, count: count) }
}
