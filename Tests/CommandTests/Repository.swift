import Foundation

/// The repository's own files, for tests that read them.
enum Repository {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  struct File {
    /// From the root, such as `Sources/Mesh/Codes.swift`.
    let path: String
    let lines: [Substring]

    var room: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var name: String { path.split(separator: "/").last.map(String.init) ?? "" }
    var isSwift: Bool { path.hasSuffix(".swift") }
  }

  /// All text files below a folder, build products aside.
  static func files(in folder: String) throws -> [File] {
    let base = root.appending(path: folder)
    let found = FileManager.default.enumerator(atPath: base.path)
    var files: [File] = []
    while let relative = found?.nextObject() as? String {
      let url = base.appending(path: relative)
      let isHidden = relative.split(separator: "/").contains { $0.hasPrefix(".") }
      let isFile = (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) ?? false
      guard isFile, !isHidden, let text = String(data: try Data(contentsOf: url), encoding: .utf8)
      else { continue }
      files.append(
        File(
          path: folder + "/" + relative,
          lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
    }
    return files.sorted { $0.path < $1.path }
  }
}
