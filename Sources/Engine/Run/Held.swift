/// Events that a link of one identifier is asked for, and those of them that wait for one.
package struct Held: Sendable, Hashable {
  /// As mesh.yaml names it.
  package let identifier: String
  package let count: Int64
  /// How many were identified by it, or wait to be, since the journal began.
  package let asked: Int64
  /// When the first that waits was taken in, in milliseconds of recorded time; nil: none does.
  package let sinceMs: Int64?
}
