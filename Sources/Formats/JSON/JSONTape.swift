import Records

/// A JSON document as a tape: one node a value or member name, in the order of the text.
///
/// One tape is used for record after record: the nodes' memory is kept, so that a steady load
/// allocates nothing. Nodes are named by their index on the tape; the document is node 0. What the
/// accessors lend lives as long as the text that was parsed, and indexes end with the next
/// ``parse(_:)``. An index that is not on the tape is an error of the program and traps. One thread
/// owns a tape.
///
/// Strict: RFC 8259 in valid UTF-8, no byte order mark, no lone surrogates, at most ``depthMax``
/// containers inside each other. Number texts are kept as they are, so nothing is lost by reading.
/// Member names may repeat: the last one counts (see ``JSONFieldSet`` for how that is counted).
/// (A 284-byte order of 42 nodes: 190–245 ns to scan, 500 to scan, walk and decode in full.)
@safe package final class JSONTape {
  /// How deep objects and lists may be nested.
  package static let depthMax = 128
  /// Bytes of a document at most; Kafka's own limit of a record lies below.
  package static let bytesMax = Int(Int32.max)
  /// Nodes for which memory is kept between documents (4 MiB); more is given back.
  static let nodesKept = 256 * 1024

  // Private variables behind getters: in debug builds a `package` one is checked for exclusive
  // access at each use.
  private var nodes: UnsafeMutablePointer<JSONNode>
  private var capacity: Int
  /// Nodes on the tape; 0 before the first document and after a failure.
  package var count: Int { nodeCount }
  private var nodeCount = 0
  /// The document parsed last.
  package var text: ByteView { document }
  private var document = ByteView.empty

  package init() {
    capacity = 1024
    unsafe nodes = UnsafeMutablePointer<JSONNode>.allocate(capacity: capacity)
  }

  deinit { unsafe nodes.deallocate() }

  /// Nodes that a text of `length` bytes can make: an element or a member takes two bytes or more,
  /// apart from the containers that are still open and the first value in each.
  static func nodesMax(_ length: Int) -> Int { length / 2 + 2 * depthMax + 4 }

  /// Scans `text`; nil when it is accepted, and then node 0 is the document. After a failure the
  /// tape is empty.
  package func parse(_ text: ByteView) -> JSONFailure? {
    guard var scanner = scanner(over: text) else {
      return JSONFailure(.tooLarge, at: JSONTape.bytesMax)
    }
    if !scanner.run() { return scanner.failure }
    nodeCount = Int(scanner.count)
    return nil
  }

  /// A scanner over `text` that may write to the tape, which is empty from here on; nil when the
  /// text is too large.
  func scanner(over text: ByteView) -> JSONScanner? {
    nodeCount = 0
    document = text
    if text.count > JSONTape.bytesMax { return nil }
    reserve(JSONTape.nodesMax(text.count))
    return unsafe JSONScanner(text.pointer, text.count, into: nodes)
  }

  private func reserve(_ needed: Int) {
    let isWasteful = capacity > JSONTape.nodesKept && needed <= JSONTape.nodesKept
    if needed <= capacity && !isWasteful { return }
    capacity = max(needed, min(2 * capacity, JSONTape.nodesKept))
    unsafe nodes.deallocate()
    unsafe nodes = UnsafeMutablePointer<JSONNode>.allocate(capacity: capacity)
  }

  @inline(__always)
  func node(_ index: Int) -> JSONNode {
    precondition(index >= 0 && index < count, "no such node on the tape")
    return unsafe nodes[index]
  }
}

extension JSONTape {
  package func kind(at index: Int) -> JSONKind { node(index).kind }

  /// The node behind `index` and all that is in it: its next sibling, if there is one.
  package func next(after index: Int) -> Int { Int(node(index).next) }

  /// The nodes in the container at `index`: the first is at the lower bound, the next at
  /// ``next(after:)`` of it, as long as that is below the upper bound. In an object, keys and
  /// values take turns. Empty when the node is no container.
  package func children(of index: Int) -> Range<Int> {
    let node = node(index)
    return index + 1..<max(index + 1, Int(node.next))
  }

  /// The text of the value as it stands in the document, strings with their quotes.
  package func rawText(at index: Int) -> ByteView {
    let node = node(index)
    if node.kind == .string || node.kind == .key {
      return text[Int(node.start) - 1..<Int(node.end) + 1]
    }
    return text[Int(node.start)..<Int(node.end)]
  }

  /// The text between the quotes of a string or key, escapes as they are written.
  package func escapedText(at index: Int) -> ByteView {
    let node = node(index)
    return text[Int(node.start)..<Int(node.end)]
  }

  /// Whether a string or key has escapes in it.
  package func hasEscapes(at index: Int) -> Bool { node(index).flags & JSONNode.escaped != 0 }

  /// The value of the last member of that name of the object at `index`; nil when there is none, or
  /// the node is no object. Takes time with the number of members; ``JSONFieldSet`` does not.
  package func member(of index: Int, named name: ByteView) -> Int? {
    if kind(at: index) != .object { return nil }
    let range = children(of: index)
    var found: Int?
    var at = range.lowerBound
    while at < range.upperBound {
      if key(at: at, is: name) { found = at + 1 }
      at = next(after: at + 1)
    }
    return found
  }
}
