import Diagnostics
import Foundation
import Product

/// Product files for tests, made in a folder of their own and removed with this object.
final class ProductFiles {
  let directory: String

  init(_ files: [String: String]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "weft-product-\(UUID().uuidString)")
    directory = folder.path
    for (path, text) in files {
      let url = folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// The folder of the example mesh in this repository.
  static var health: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Config/health").path
  }
}

/// `code file:line:column message` of each, the directory left out.
func told(_ diagnostics: [Diagnostic]) -> [String] {
  diagnostics.map { diagnostic in
    guard let span = diagnostic.span else { return "\(diagnostic.code.text) \(diagnostic.message)" }
    let place = span.source.place(of: span.range.lowerBound)
    let file = span.source.name.split(separator: "/").suffix(1).joined()
    return "\(diagnostic.code.text) \(file):\(place.line):\(place.column) \(diagnostic.message)"
  }
}
