import Foundation
import Testing

/// The rules of the house, kept by reading the sources: what a compiler does not check.
@Suite struct HouseTests {
  /// Which rooms a room may import; the toolchain's modules are in `toolchain`. From the street to
  /// the cellar: each row names only what stands below it.
  static let arrows: [String: Set<String>] = [
    "weft": [
      "CommandLine", "Worker", "Mesh", "Kafka", "Engine", "State", "Product", "Expressions",
      "Formats", "Observability", "CMimalloc",
    ],
    "Worker": ["Engine", "State", "Mesh", "Kafka", "Formats", "Product", "Observability"],
    "Mesh": ["Product", "Formats", "Kafka", "Expressions"],
    "Kafka": ["CRdKafka"],
    "Engine": ["Expressions", "State", "Formats", "Product"],
    "State": ["CRocksDB"],
    "Product": ["Expressions", "CYAML", "CCrypto"],
    "Expressions": ["Formats", "CCrypto"],
    "Formats": ["CSIMD"],
    "CommandLine": [],
    "Observability": [],
    "Diagnostics": [],
    "Records": [],
  ]
  /// Open to every room above them.
  static let cellar: Set<String> = ["Records", "Diagnostics"]
  static let toolchain: Set<String> = ["Synchronization", "Dispatch", "Foundation", "Glibc"]
  /// Hot rooms that must not know Foundation.
  static let withoutFoundation: Set<String> = [
    "Records", "Formats", "Expressions", "Engine", "State", "Kafka", "Observability",
  ]
  static let faces: Set<String> = [
    "CRdKafka", "CYAML", "CCrypto", "CRocksDB", "CMimalloc", "CSIMD",
  ]

  static let topLevel: Set<String> = [
    "Package.swift", "Sources", "Tests", "Config", "Scripts", "README.md", "LICENSE", ".ci",
    ".swift-format", ".gitignore", ".git",
  ]
  static let linesMax = 800
  static let columnsMax = 100

  /// Whether the pattern is in the line; `needle` is plain text of it, since looking for that in
  /// bytes is a hundred times cheaper and nearly always says no.
  private func matches(_ pattern: String, needle: String, _ line: Substring) throws -> Bool {
    guard contains(line, needle) else { return false }
    return try Regex(pattern).firstMatch(in: line) != nil
  }

  private func contains(_ line: Substring, _ needle: String) -> Bool {
    let wanted = Array(needle.utf8)
    var rest = line.utf8
    while let start = rest.firstIndex(of: wanted[0]) {
      rest = rest[start...]
      if rest.starts(with: wanted) { return true }
      rest.removeFirst()
    }
    return false
  }
  /// The line without its comment, for rules about code.
  private func code(_ line: Substring) -> Substring {
    guard contains(line, "//") else { return line }
    return line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
  }

  @Test func `a room imports only what the table allows`() throws {
    for file in try Repository.files(in: "Sources") where file.isSwift {
      let allowed = try #require(Self.arrows[file.room], "\(file.room) is not in the table")
      let isCellar = file.room == "Records" || file.room == "Diagnostics"
      for line in file.lines where contains(line, "import ") {
        guard
          let found = try Regex(#"^(?:@\S+ |\w+ )*import (?:\w+ )?(\w+)"#).firstMatch(in: line),
          let name = found[1].substring.map(String.init)
        else { continue }
        if Self.toolchain.contains(name) {
          #expect(
            name != "Foundation" || !Self.withoutFoundation.contains(file.room),
            "\(file.path) imports Foundation")
          continue
        }
        #expect(
          allowed.contains(name) || (!isCellar && Self.cellar.contains(name)),
          "\(file.path) imports \(name)")
      }
    }
  }

  @Test func `the arrows only point down`() {
    var depth: [String: Int] = [:]
    func depthOf(_ room: String, _ path: [String]) -> Int {
      if let known = depth[room] { return known }
      #expect(!path.contains(room), "a circle through \(room)")
      if path.contains(room) { return 0 }
      let below = (Self.arrows[room] ?? []).map { depthOf($0, path + [room]) + 1 }
      depth[room] = below.max() ?? 0
      return depth[room] ?? 0
    }
    for room in Self.arrows.keys { _ = depthOf(room, []) }
    #expect(depth["weft"] == depth.values.max())
  }

  @Test func `unsafe code stays in its rooms`() throws {
    let rooms: Set<String> = ["Records", "Kafka"]
    for file in try Repository.files(in: "Sources") where file.isSwift {
      let isScanner = file.path.hasPrefix("Sources/Formats/JSON/JSON")
      let isRowTable =
        file.room == "State"
        && (file.name.hasPrefix("Row")
          || ["UndoLog.swift", "ExpiryQueue.swift"].contains(file.name))
      if rooms.contains(file.room) || isScanner || isRowTable || file.name.hasSuffix("+C.swift") {
        continue
      }
      for (number, line) in file.lines.enumerated()
      where try matches(#"(^|[^.\w])unsafe [A-Za-z_(&\[]"#, needle: "unsafe ", code(line)) {
        Issue.record("\(file.path):\(number + 1): `unsafe` outside its rooms")
      }
    }
  }

  @Test func `nothing is called that input could turn into a crash or a wait`() throws {
    let banned = [
      (#"\btry!"#, "tr" + "y!", "throw, or prove it with a precondition that says why"),
      (#"\bas!"#, "a" + "s!", "use `as?`"),
      (
        #"\bfatal"# + #"Error\("#, "fatalE" + "rror(",
        "throw; a precondition with its reason is for invariants only"
      ),
      (#"\b(u|nano)?sle"# + #"ep\("#, "sle" + "ep(", "wait for what you wait for"),
      (#"\bprint\("#, "prin" + "t(", "the command owns the output"),
    ]
    let folders = ["Sources", "Tests"]
    for file in try folders.flatMap(Repository.files) where file.isSwift {
      for (number, line) in file.lines.enumerated() {
        for (pattern, needle, instead) in banned
        where try matches(pattern, needle: needle, code(line)) {
          Issue.record("\(file.path):\(number + 1): \(pattern) is banned: \(instead)")
        }
      }
    }
  }

  @Test func `nothing is left to be done, and no path of one machine is written down`() throws {
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    let paths = ["/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/", "/tm" + "p/w/"]
    for file in try ["Sources", "Tests", "Config", "Scripts", ".ci"].flatMap(Repository.files) {
      for (number, line) in file.lines.enumerated() {
        for mark in marks where try matches(#"\b\#(mark)\b"#, needle: mark, line) {
          Issue.record("\(file.path):\(number + 1): \(mark)")
        }
        for path in paths where contains(line, path) {
          Issue.record("\(file.path):\(number + 1): \(path)")
        }
      }
    }
  }

  @Test func `files and lines are short enough to read`() throws {
    for file in try ["Sources", "Tests"].flatMap(Repository.files) {
      #expect(file.lines.count <= Self.linesMax, "\(file.path) has \(file.lines.count) lines")
      guard [".swift", ".h", ".c"].contains(where: file.path.hasSuffix) else { continue }
      // A literal is not broken for the sake of a column; nor does the formatter do it.
      for (number, line) in file.lines.enumerated()
      where line.count > Self.columnsMax && !line.contains("\"") {
        Issue.record("\(file.path):\(number + 1): \(line.count) columns")
      }
    }
  }

  @Test func `every room and face has a README, and no folder is a stranger`() throws {
    let rooms = try FileManager.default.contentsOfDirectory(
      atPath: Repository.root.appending(path: "Sources").path)
    #expect(Set(rooms) == Set(Self.arrows.keys).union(Self.faces))
    for room in rooms {
      let readme = Repository.root.appending(path: "Sources/\(room)/README.md")
      let text = try String(contentsOf: readme, encoding: .utf8)
      #expect(text.split(separator: "\n").count >= 3, "\(room)'s README says nothing")
    }
    let entries = try FileManager.default.contentsOfDirectory(atPath: Repository.root.path)
    for entry in entries where !Self.topLevel.contains(entry) {
      #expect(entry.hasPrefix(".build") || entry.hasSuffix(".swp"), "\(entry) at the top level")
    }
  }
}

extension HouseTests {
  @Test func `a diagnostic's code is given once, and no code means two things`() throws {
    var places: [String: [String]] = [:]
    for file in try Repository.files(in: "Sources") where file.isSwift {
      for line in file.lines {
        guard contains(line, "DiagnosticCode(") else { continue }
        for found in line.matches(of: /= DiagnosticCode\("(W\d{4})"\)/) {
          places[String(found.1), default: []].append(file.path)
        }
      }
    }
    #expect(places.count > 50)
    for (code, files) in places.sorted(by: { $0.key < $1.key }) {
      #expect(files.count == 1, "\(code) is given in \(files.joined(separator: ", "))")
    }
  }
}
