/// Objects that are looked up by number for each record: lent for a while instead of handed out, so
/// that no reference is counted, which takes some 20 cycles each way. Made once.
@safe public struct Lent<Element: AnyObject>: RandomAccessCollection {
  @usableFromInline let borrowed: ContiguousArray<Unmanaged<Element>>
  /// Keeps what is lent.
  private let owned: ContiguousArray<Element>

  /// Lends these, in their order.
  public init(_ elements: ContiguousArray<Element>) {
    owned = elements
    unsafe borrowed = ContiguousArray(elements.map { unsafe Unmanaged.passUnretained($0) })
  }

  /// The first is 0.
  public var startIndex: Int { 0 }
  /// One behind the last.
  public var endIndex: Int { owned.count }
  /// The object at `index`, counted: off the hot path.
  public subscript(index: Int) -> Element { owned[index] }

  /// Lends the object at `index` to `body`. It must not let it out, nor let this collection go.
  @inlinable @inline(__always)
  public func lend<Result>(_ index: Int, _ body: (Element) -> Result) -> Result {
    unsafe borrowed[index]._withUnsafeGuaranteedRef { body($0) }
  }
}
