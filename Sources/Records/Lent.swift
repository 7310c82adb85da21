/// Objects that are looked up by number for each record: lent for a while instead of handed out, so
/// that no reference is counted (`Sources/Engine/README.md`). Made once.
@safe public struct Lent<Element: AnyObject>: RandomAccessCollection {
  /// An array here would itself be counted.
  @usableFromInline let borrowed: UnsafePointer<Unmanaged<Element>>
  /// One behind the last.
  public let endIndex: Int
  /// Keeps what is lent.
  private let owner: Owner

  @safe private final class Owner {
    let elements: ContiguousArray<Element>
    let borrowed: UnsafeMutablePointer<Unmanaged<Element>>

    init(_ elements: ContiguousArray<Element>) {
      self.elements = elements
      unsafe borrowed = .allocate(capacity: elements.count)
      for (index, element) in elements.enumerated() {
        unsafe (borrowed + index).initialize(to: .passUnretained(element))
      }
    }

    deinit { unsafe borrowed.deallocate() }
  }

  /// Lends these, in their order.
  public init(_ elements: ContiguousArray<Element>) {
    owner = Owner(elements)
    unsafe borrowed = UnsafePointer(owner.borrowed)
    endIndex = elements.count
  }

  /// The first is 0.
  public var startIndex: Int { 0 }
  /// The object at `index`, counted: off the hot path.
  public subscript(index: Int) -> Element { owner.elements[index] }

  /// Lends the object at `index` to `body`. It must not let it out, nor let this collection go.
  @inlinable @inline(__always)
  public func lend<Result>(_ index: Int, _ body: (Element) -> Result) -> Result {
    precondition(index >= 0 && index < endIndex, "no object of that number")
    return unsafe borrowed[index]._withUnsafeGuaranteedRef { body($0) }
  }
}

/// The same for objects that come and go.
@safe public final class LentPlaces<Element: AnyObject> {
  @usableFromInline let borrowed: UnsafeMutablePointer<Unmanaged<Element>?>
  /// How many places there are.
  public let count: Int
  private var owned: ContiguousArray<Element?>

  /// All of them empty.
  public init(count: Int) {
    self.count = count
    owned = ContiguousArray(repeating: nil, count: count)
    unsafe borrowed = .allocate(capacity: count)
    unsafe borrowed.initialize(repeating: nil, count: count)
  }

  deinit { unsafe borrowed.deallocate() }

  /// What is there, counted: off the hot path.
  public subscript(index: Int) -> Element? {
    get { owned[index] }
    set {
      unsafe borrowed[index] = newValue.map { unsafe Unmanaged.passUnretained($0) }
      owned[index] = newValue
    }
  }

  /// Lends what is there to `body`, which must neither let it out nor put another in its place; nil
  /// where there is nothing.
  @inlinable @inline(__always)
  public func lend<Result>(_ index: Int, _ body: (Element) -> Result) -> Result? {
    precondition(index >= 0 && index < count, "no place of that number")
    guard let object = unsafe borrowed[index] else { return nil }
    return unsafe object._withUnsafeGuaranteedRef { body($0) }
  }
}
