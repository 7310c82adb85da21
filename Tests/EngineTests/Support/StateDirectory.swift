import Foundation

/// A directory for states, which goes with the test.
final class StateDirectory {
  let url = FileManager.default.temporaryDirectory.appending(
    path: "weft-state-\(UUID().uuidString)")

  var path: String { url.path }

  func at(_ name: String) -> String { url.appending(path: name).path }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The files of a store, by the end of their names.
  func files(_ name: String, _ ending: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: url.appending(path: name), includingPropertiesForKeys: nil
    ).filter { $0.lastPathComponent.hasSuffix(ending) }
  }
}
