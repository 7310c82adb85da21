import Foundation

/// Reads files and folders; the one place of this room that touches the disk.
enum FileTree {
  /// Nil when there is no such file, or it cannot be read.
  static func read(_ path: String) -> [UInt8]? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return [UInt8](data)
  }

  static func isFile(_ path: String) -> Bool { kind(of: path) == .typeRegular }

  static func isFolder(_ path: String) -> Bool { kind(of: path) == .typeDirectory }

  private static func kind(of path: String) -> FileAttributeType? {
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: target)
    return attributes?[.type] as? FileAttributeType
  }

  /// Names in a folder, sorted; without those that begin with a dot.
  static func names(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted()
  }

  static func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name]
  }

  /// The folder that holds it; nil at the top.
  static func parent(of path: String) -> String? {
    let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
    let parent = URL(fileURLWithPath: absolute).deletingLastPathComponent().path
    return parent == absolute ? nil : parent
  }

  /// `folder/name` as a person would write it.
  static func join(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") || folder.isEmpty || folder == "." { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
