import Dispatch
import Foundation

/// Holds an instance's name in a state directory for as long as the process lives: a second worker
/// of that name there is refused. The kernel frees it, however the process ends.
package final class InstanceLock: Sendable {
  private static let tries = 20

  private let file: FileHandle

  package struct Held: Error, CustomStringConvertible {
    package let description: String
  }

  /// - Throws: ``Held`` with what to do, when another process has it or the directory cannot be
  ///   used.
  package init(stateDirectory: String, domain: String, instance: String) throws(Held) {
    let directory = URL(fileURLWithPath: stateDirectory, isDirectory: true)
    let path = directory.appendingPathComponent("\(domain).\(instance).lock").path
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: path) {
        try Data().write(to: URL(fileURLWithPath: path))
      }
      file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    } catch {
      throw Held(
        description: "the state directory \(stateDirectory) cannot be used:"
          + " \(InstanceLock.obstacle(directory, error) ?? error.localizedDescription); set"
          + " state.directory in worker.yaml, or what it takes its value from")
    }
    // One that was killed just now may still be on its way out.
    var isOurs = flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0
    for _ in 0..<InstanceLock.tries where !isOurs {
      _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(100))
      isOurs = flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0
    }
    if !isOurs {
      let holder = (try? file.readToEnd()).flatMap { String(data: $0, encoding: .utf8) } ?? ""
      let process = holder.isEmpty ? "" : " (process \(holder))"
      throw Held(
        description: "instance \(instance) of domain \(domain) already runs here\(process): \(path)"
          + " is locked; stop it, or give this one another name with --instance")
    }
    try? file.truncate(atOffset: 0)
    try? file.write(contentsOf: Data("\(ProcessInfo.processInfo.processIdentifier)".utf8))
  }

  /// What is in the way of a directory: its disk, or the nearest that is there above it, or it
  /// itself, is a file or not to be written. Nil when it is something else.
  private static func obstacle(_ directory: URL, _ error: any Error) -> String? {
    switch (error as? CocoaError)?.code {
    case .fileWriteVolumeReadOnly: return "its disk is mounted read-only"
    case .fileWriteOutOfSpace: return "its disk is full"
    default: break
    }
    var nearest = directory.standardizedFileURL
    while !FileManager.default.fileExists(atPath: nearest.path) {
      if nearest.path == "/" { return nil }
      nearest = nearest.deletingLastPathComponent()
    }
    // Behind a link stands what counts.
    let kind = try? nearest.resolvingSymlinksInPath().resourceValues(forKeys: [.isDirectoryKey])
    if kind?.isDirectory == false { return "\(nearest.path) is a file" }
    return FileManager.default.isWritableFile(atPath: nearest.path)
      ? nil : "this user may not write in \(nearest.path)"
  }
}
