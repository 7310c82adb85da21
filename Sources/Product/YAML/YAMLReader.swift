import Diagnostics

/// Reads a text into a tree of nodes with places; what is wrong becomes diagnostics of ours.
package struct YAMLReader {
  /// Bytes of a file. The engine's records are no YAML; a file a person writes is far smaller.
  package static let bytesMax = 4 << 20
  /// Lists and maps in one another: bounds every recursion over the tree.
  package static let depthMax = 64
  /// Nodes with every alias counted as what it stands for: a file of a few lines could else become
  /// gigabytes.
  package static let nodesMax = 200_000

  /// The document in `source`; nil when it could not be read. Problems go to `diagnostics`.
  package static func read(_ source: SourceText, into diagnostics: inout [Diagnostic]) -> YAMLNode?
  {
    if source.bytes.count > bytesMax {
      diagnostics.append(
        Diagnostic(
          .yamlLimit, "`\(source.name)` is larger than \(bytesMax >> 20) MiB",
          at: SourceSpan(source, 0..<0)))
      return nil
    }
    var reader = YAMLReader(source)
    defer { diagnostics += reader.diagnostics }
    do throws(YAMLProblem) {
      try reader.run()
    } catch {
      let problems = YAMLProblemText(source, reader.places, skipped: reader.skipped)
      reader.diagnostics.append(problems.diagnostic(error))
      return nil
    }
    if reader.isBroken || reader.lacksNodes { return nil }
    guard let root = reader.root else {
      reader.report(.yamlSyntax, "this file is empty", 0..<0)
      return nil
    }
    return root
  }

  /// A list or map that is not at its end yet.
  private struct Open {
    var isMapping: Bool
    var isFlow: Bool
    var start: Int
    var anchor: String?
    var items: [YAMLNode] = []
    var entries: [YAMLNode.Entry] = []
    var key: YAMLNode?
    var keys: [String: SourceSpan] = [:]
  }

  private let source: SourceText
  private let skipped: Int
  private let places: YAMLPlaces
  private var open: [Open] = []
  private var anchors: [String: YAMLNode] = [:]
  private var root: YAMLNode?
  private var nodes = 0
  /// A limit was passed: nothing more is read.
  private var isBroken = false
  /// A node could not be made out; what depends on it would only repeat that.
  private var lacksNodes = false
  private var diagnostics: [Diagnostic] = []

  private init(_ source: SourceText) {
    self.source = source
    skipped = source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    places = YAMLPlaces(source.bytes, start: skipped)
  }

  private mutating func report(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, label: String? = nil,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(code, message, at: SourceSpan(source, range), label: label, help: help))
  }

  private mutating func run() throws(YAMLProblem) {
    let parser = YAMLParser(source.bytes[skipped...])
    while !isBroken {
      let event = try parser.next()
      let start = places.offset(of: event.start)
      let range = start..<max(start, places.offset(of: event.end))
      switch event.kind {
      case .streamEnd: return
      case .streamStart, .documentEnd: break
      case .documentStart:
        if root != nil {
          report(.yamlForm, "a second document begins here; one file holds one", range)
          return
        }
      case .alias(let name): take(alias(name, range))
      case .scalar(let text, let style): take(scalar(text, style, event, range))
      case .sequenceStart(let isFlow):
        begin(Open(isMapping: false, isFlow: isFlow, start: start, anchor: event.anchor), event)
      case .mappingStart(let isFlow):
        begin(Open(isMapping: true, isFlow: isFlow, start: start, anchor: event.anchor), event)
      case .sequenceEnd, .mappingEnd: end(at: range.upperBound)
      }
    }
  }

  private mutating func begin(_ next: Open, _ event: YAMLEvent) {
    if open.count >= YAMLReader.depthMax {
      report(
        .yamlLimit, "lists and maps are more than \(YAMLReader.depthMax) deep here",
        next.start..<next.start)
      isBroken = true
    }
    let plain = next.isMapping ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq"
    if let tag = event.tag, tag != plain, tag != "!" { refuse(tag: tag, next.start..<next.start) }
    open.append(next)
  }

  private mutating func end(at end: Int) {
    guard let last = open.popLast() else { return }
    let children = last.isMapping ? last.entries.map(\.value) : last.items
    let size = 1 + children.reduce(0) { $0 + $1.size } + last.entries.count
    // The end mark of a block collection stands at the next token, perhaps lines below.
    let upper = last.isFlow ? end : children.last?.span.range.upperBound ?? last.start
    let node = YAMLNode(
      content: last.isMapping ? .mapping(last.entries) : .sequence(last.items),
      span: SourceSpan(source, last.start..<max(last.start, upper)), size: size)
    if let anchor = last.anchor { anchors[anchor] = node }
    take(node)
  }

  private mutating func scalar(
    _ text: String, _ style: YAMLNode.Style, _ event: YAMLEvent, _ range: Range<Int>
  ) -> YAMLNode {
    var style = style
    var start = range.lowerBound
    if event.anchor != nil || event.tag != nil { start = behindProperties(range) }
    switch event.tag {
    case nil, "!": break
    case "tag:yaml.org,2002:str": if style == .plain { style = .singleQuoted }
    case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool",
      "tag:yaml.org,2002:null":
      style = .plain
    case let tag?: refuse(tag: tag, range)
    }
    var end = range.upperBound
    if style == .literal || style == .folded {
      while end > start, [0x20, 0x0A, 0x0D].contains(source.bytes[end - 1]) { end -= 1 }
    }
    nodes += 1
    let node = YAMLNode(
      content: .scalar(text, style), span: SourceSpan(source, start..<max(start, end)), size: 1)
    if let anchor = event.anchor { anchors[anchor] = node }
    return node
  }

  /// Where a scalar begins behind its `&anchor` and `!tag`.
  private func behindProperties(_ range: Range<Int>) -> Int {
    var index = range.lowerBound
    let blank: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
    while index < range.upperBound,
      [UInt8(ascii: "&"), UInt8(ascii: "!")].contains(source.bytes[index])
    {
      while index < range.upperBound, !blank.contains(source.bytes[index]) { index += 1 }
      while index < range.upperBound, blank.contains(source.bytes[index]) { index += 1 }
    }
    return index
  }

  private mutating func refuse(tag: String, _ range: Range<Int>) {
    report(.yamlForm, "the tag `\(tag)` means nothing here", range, help: "remove the tag")
  }

  private mutating func alias(_ name: String, _ range: Range<Int>) -> YAMLNode {
    if let node = anchors[name] {
      nodes += node.size
      if nodes > YAMLReader.nodesMax {
        report(
          .yamlLimit,
          "with `*\(name)` written out this file has more than "
            + "\(YAMLReader.nodesMax) parts", range)
        isBroken = true
      }
      return node
    }
    lacksNodes = true
    report(
      .yamlForm, "nothing before this is called `&\(name)`", range,
      help: closest(to: name, among: anchors.keys.sorted()).map { "did you mean `*\($0)`?" })
    return YAMLNode(content: .scalar("", .plain), span: SourceSpan(source, range), size: 1)
  }

  private mutating func take(_ node: YAMLNode) {
    guard let top = open.indices.last else {
      root = node
      return
    }
    if !open[top].isMapping {
      open[top].items.append(node)
    } else if let key = open[top].key {
      open[top].key = nil
      add(YAMLNode.Entry(key: key, value: node), to: top)
    } else {
      open[top].key = node
    }
  }

  private mutating func add(_ entry: YAMLNode.Entry, to top: Int) {
    guard let name = entry.key.text else {
      report(.yamlForm, "a key is a text, not \(entry.key.kindText)", entry.key.span.range)
      return
    }
    if let first = open[top].keys[name] {
      let line = source.place(of: first.range.lowerBound).line
      report(
        .repeatedKey, "`\(name)` is set twice", entry.key.span.range,
        label: "set before in line \(line)", help: "keep one of the two")
      return
    }
    open[top].keys[name] = entry.key.span
    open[top].entries.append(entry)
  }
}
