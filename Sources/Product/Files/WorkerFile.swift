import Diagnostics

/// worker.yaml, read: values with their secrets filled in, and nothing of them in any message.
struct WorkerFile {
  private let directory: String
  private(set) var diagnostics: [Diagnostic] = []

  init(directory: String) { self.directory = directory }

  /// `environment` takes the place of the file's.
  mutating func settings(_ record: FileRecord, environment: String?) -> WorkerSettings? {
    guard let domain = record.text("domain") else { return nil }
    var kafka: [(name: String, value: String)] = []
    var isWhole = true
    for (key, value) in record["kafka"]?.entries ?? [] {
      if let name = key.text, let text = resolved(value) {
        kafka.append((name, text))
      } else {
        isWhole = false
      }
    }
    checkBootstrap(record, kafka)
    let state = record["state"]?.record
    let stateDirectory = state?["directory"].map { resolved($0) } ?? ".weft"
    let prefix = prefix(record, environment)
    let key = record["keys"]?.record?["pseudonym"].map { pseudonymKey($0) } ?? []
    guard let stateDirectory, let prefix, let key, isWhole, record.isWhole else { return nil }
    // Wherever the worker is called from, it is the same directory: an instance's lock is in it.
    var settings = WorkerSettings(
      domain: domain, environment: prefix, kafka: kafka,
      stateDirectory: FileTree.join(directory, stateDirectory))
    if !key.isEmpty { settings.pseudonymKey = key }
    if let memory = state?["memory"]?.integer { settings.stateMemoryBytes = memory }
    let commit = record["commit"]?.record
    if let interval = commit?["interval"]?.durationMs { settings.commitIntervalMs = Int(interval) }
    if let records = commit?["records"]?.integer { settings.commitRecords = records }
    return settings
  }

  private static let keyBytesMin = 16

  /// Empty: there is none, as where a variable with an empty default is not set.
  private mutating func pseudonymKey(_ value: FileValue) -> [UInt8]? {
    guard let text = resolved(value) else { return nil }
    let key = Array(text.utf8)
    if key.isEmpty || key.count >= Self.keyBytesMin { return key }
    diagnostics.append(
      Diagnostic(
        .badValue, "a key of pseudonyms has \(Self.keyBytesMin) characters or more", at: value.span,
        help: "`openssl rand -hex 32` makes one"))
    return nil
  }

  private mutating func checkBootstrap(
    _ record: FileRecord, _ kafka: [(name: String, value: String)]
  ) {
    if record["kafka"] == nil || record["kafka"]?.entries.contains(where: isBootstrap) == true {
      return
    }
    let near = record["kafka"]?.node.entries.first { entry in
      entry.key.text.flatMap { closest(to: $0, among: ["bootstrap.servers"]) } != nil
    }
    if let near {
      diagnostics.append(
        Diagnostic(
          .unknownKey, "`\(near.key.text ?? "")` is no property of librdkafka", at: near.key.span,
          help: "did you mean `bootstrap.servers`?"))
      return
    }
    diagnostics.append(
      Diagnostic(
        .missingKey, "`bootstrap.servers` is missing", at: record.keySpan("kafka"),
        help: "add `bootstrap.servers: \"${KAFKA_BOOTSTRAP:-127.0.0.1:9092}\"`"))
  }

  private func isBootstrap(_ entry: (key: YAMLNode, value: FileValue)) -> Bool {
    entry.key.text == "bootstrap.servers" || entry.key.text == "metadata.broker.list"
  }

  private mutating func prefix(_ record: FileRecord, _ override: String?) -> String? {
    let found = override ?? record["environment"].map { resolved($0) } ?? ""
    guard let prefix = found else { return nil }
    if prefix.isEmpty || FieldReader.isWireName(prefix) { return prefix }
    diagnostics.append(
      Diagnostic(
        .badValue, "`\(prefix)` is not \(Shape.wireName.text)",
        at: override == nil ? record.span("environment") : nil, label: "environment"))
    return nil
  }

  /// The text with `${NAME}` and `${NAME:-default}` filled in, or the content of `@file`.
  private mutating func resolved(_ value: FileValue) -> String? {
    guard let text = value.text else { return nil }
    if text.hasPrefix("@") { return content(of: String(text.dropFirst()), value) }
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstRange(of: "${") {
      result += rest[..<start.lowerBound]
      rest = rest[start.upperBound...]
      guard let end = rest.firstIndex(of: "}") else {
        diagnostics.append(
          Diagnostic(
            .badValue, "`${` is never closed", at: value.span, help: "write `${NAME:-default}`"))
        return nil
      }
      guard let part = variable(rest[..<end], value) else { return nil }
      result += part
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private mutating func variable(_ text: Substring, _ value: FileValue) -> String? {
    let divider = text.firstRange(of: ":-")
    let name = String(divider.map { text[..<$0.lowerBound] } ?? text)
    let found = FileTree.environment(name)
    if let divider {
      return found.flatMap { $0.isEmpty ? nil : $0 } ?? String(text[divider.upperBound...])
    }
    if let found { return found }
    diagnostics.append(
      Diagnostic(
        .badValue, "the environment variable `\(name)` is not set", at: value.span,
        help: "set it, or give a default: `${\(name):-…}`"))
    return nil
  }

  private mutating func content(of name: String, _ value: FileValue) -> String? {
    let path = FileTree.join(directory, name)
    guard let bytes = FileTree.read(path) else {
      diagnostics.append(
        Diagnostic(.missingFile, "`\(path)` cannot be read", at: value.span))
      return nil
    }
    var text = Substring(decoding: bytes, as: UTF8.self)
    while text.last == "\n" || text.last == "\r" || text.last == "\r\n" { text.removeLast() }
    return String(text)
  }
}

/// The text of worker.yaml as messages may show it: the same bytes, with stars for secrets.
enum SecretMask {
  /// A key with one of these in it has a value that nobody else may see.
  private static let words = [
    "password", "passphrase", "secret", "token", "credential", "pem", "oauthbearer", "jaas",
    "pseudonym",
  ]

  /// Masks by lines, so that it also serves a file whose syntax is broken: what stands behind such
  /// a key and its `:`, and the deeper lines below it.
  static func masked(_ source: SourceText) -> SourceText {
    var bytes = source.bytes
    var hiddenIndent: Int?
    for (line, start) in source.lineStarts.enumerated() {
      let end = line + 1 < source.lineStarts.count ? source.lineStarts[line + 1] : bytes.count
      let range = start..<end
      let indent = range.prefix { source.bytes[$0] == 0x20 }.count
      let isBlank = range.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains(source.bytes[$0]) }
      if let limit = hiddenIndent {
        if isBlank || indent > limit {
          hide(&bytes, range)
          continue
        }
        hiddenIndent = nil
      }
      if let first = secretValue(source.bytes, range) {
        hide(&bytes, first..<end)
        hiddenIndent = indent
      }
    }
    return SourceText(name: source.name, bytes: bytes)
  }

  /// Where the value of the line's first secret begins.
  private static func secretValue(_ bytes: [UInt8], _ line: Range<Int>) -> Int? {
    let lower = bytes[line].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    var found: Int?
    for word in words {
      let needle = Array(word.utf8)
      guard lower.count > needle.count else { continue }
      for start in 0...(lower.count - needle.count)
      where lower[start..<(start + needle.count)].elementsEqual(needle) {
        guard let colon = lower[start...].firstIndex(of: UInt8(ascii: ":")) else { break }
        found = min(found ?? Int.max, line.lowerBound + colon + 1)
        break
      }
    }
    return found
  }

  private static func hide(_ bytes: inout [UInt8], _ range: Range<Int>) {
    for index in range where ![0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) {
      bytes[index] = UInt8(ascii: "*")
    }
  }

  /// The same diagnostics, pointing into the masked text.
  static func moved(_ diagnostics: [Diagnostic], from source: SourceText, to masked: SourceText)
    -> [Diagnostic]
  {
    diagnostics.map { diagnostic in
      guard let span = diagnostic.span, span.source === source else { return diagnostic }
      var result = diagnostic
      result.span = SourceSpan(masked, span.range)
      return result
    }
  }
}
