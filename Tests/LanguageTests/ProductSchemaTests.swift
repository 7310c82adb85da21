import Diagnostics
import Foundation
import Product
import Testing

/// Where the standards' schemas are, beside the repository.
private let schemas = URL(fileURLWithPath: ProductFiles.repository).deletingLastPathComponent()
  .appending(path: "shared/data/schemas").path

/// The example's product and contract files under the standards' own schemas, which another program
/// (`jsonschema` from PyPI) checks. Skipped where the schemas are not beside the repository.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: schemas)))
struct ProductSchemaTests {
  /// Reads lines `schema<TAB>document`, and prints what is wrong with each.
  static let checker = """
    import json, sys
    import jsonschema
    validators = {}
    for line in sys.stdin:
        path, name, document = line.rstrip("\\n").split("\\t", 2)
        if path not in validators:
            schema = json.load(open(path))
            validators[path] = jsonschema.validators.validator_for(schema)(schema)
        for error in validators[path].iter_errors(json.loads(document)):
            sys.stdout.write(f"{name} {error.json_path} {error.message[:200]}\\n")
    """

  struct Failed: Error { let output: String }

  /// Runs a program to its end; its output, or an error with all it said.
  func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let (feed, output) = (Pipe(), Pipe())
    process.standardInput = feed
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try feed.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try feed.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    if process.terminationStatus != 0 { throw Failed(output: text) }
    return text
  }

  /// A Python that has jsonschema: made once, under .build.
  func python() throws -> String {
    let folder = ProductFiles.repository + "/.build/jsonschema"
    let python = folder + "/bin/python"
    if (try? run(python, ["-c", "import jsonschema"])) != nil { return python }
    _ = try run("python3", ["-m", "venv", "--clear", folder])
    _ = try run(python, ["-m", "pip", "--quiet", "install", "jsonschema==4.23.0"])
    return python
  }

  /// JSON text of a YAML file, as our own reader understands it.
  func json(_ path: String) throws -> String {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    var problems: [Diagnostic] = []
    let node = YAMLReader.read(SourceText(name: path, bytes: bytes), into: &problems)
    #expect(told(problems) == [])
    return try #require(node?.json)
  }

  func check(_ documents: [(schema: String, name: String, json: String)]) throws -> [String] {
    let lines = documents.map { "\(schemas)/\($0.schema)\t\($0.name)\t\($0.json)\n" }
    let output = try run(try python(), ["-c", Self.checker], input: lines.joined())
    return output.split(separator: "\n").map(String.init)
  }

  @Test func `product and contract files are valid under the published schemas`() throws {
    var documents: [(schema: String, name: String, json: String)] = []
    for domain in findDomains(in: ProductFiles.health) {
      let product = try json(domain + "/product.odps.yaml")
      documents.append(("odps-v1.0.0.json", domain + "/product.odps.yaml", product))
      let contracts = domain + "/contracts"
      for name in try FileManager.default.contentsOfDirectory(atPath: contracts) {
        let path = contracts + "/" + name
        let contract = try json(path)
        let isNewer = contract.contains("v3.2.0")
        documents.append(
          (isNewer ? "odcs-v3.2.0-draft.json" : "odcs-v3.1.0.json", path, contract))
      }
    }
    #expect(documents.count == 25)
    #expect(try check(documents) == [])
    // The checker does find what is wrong.
    #expect(try check([("odps-v1.0.0.json", "empty", "{}")]).count == 4)
  }
}
