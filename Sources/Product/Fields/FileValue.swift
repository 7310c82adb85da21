import Diagnostics

/// A node of a file that has the shape its specification asks for.
package struct FileValue: Sendable {
  package indirect enum Content: Sendable {
    /// Text, names, versions, words, expressions and blocks.
    case text(String)
    case flag(Bool)
    case integer(Int)
    /// Milliseconds.
    case duration(Int64)
    /// Milliseconds since 1970.
    case timestamp(Int64)
    case list([FileValue])
    case map([(key: YAMLNode, value: FileValue)])
    case record(FileRecord)
    /// Looked at by nobody but through its node.
    case any
  }

  package let node: YAMLNode
  package let content: Content
  package var span: SourceSpan { node.span }

  package var text: String? { if case .text(let text) = content { text } else { nil } }
  package var flag: Bool? { if case .flag(let flag) = content { flag } else { nil } }
  package var integer: Int? { if case .integer(let value) = content { value } else { nil } }
  package var durationMs: Int64? { if case .duration(let value) = content { value } else { nil } }
  package var record: FileRecord? { if case .record(let record) = content { record } else { nil } }
  package var items: [FileValue] { if case .list(let items) = content { items } else { [] } }
  package var entries: [(key: YAMLNode, value: FileValue)] {
    if case .map(let entries) = content { entries } else { [] }
  }
}

/// A map of a file whose fields were checked. A field that was there but wrong is `isBroken`:
/// whoever needs it stays silent, for the reader has said so already.
package struct FileRecord: Sendable {
  package let node: YAMLNode
  let fields: [String: FileValue]
  let keys: [String: YAMLNode]
  let broken: Set<String>

  package subscript(name: String) -> FileValue? { fields[name] }
  package func isBroken(_ name: String) -> Bool { broken.contains(name) }
  package var isWhole: Bool { broken.isEmpty }

  package func text(_ name: String) -> String? { fields[name]?.text }
  /// Where the key stands, else the whole map.
  package func keySpan(_ name: String) -> SourceSpan { keys[name]?.span ?? node.span }
  package func span(_ name: String) -> SourceSpan { fields[name]?.span ?? keySpan(name) }
}
