/// Events that wait for links of one identifier.
package struct Held: Sendable, Hashable {
  /// As mesh.yaml names it.
  package let identifier: String
  package let count: Int64
  /// When the first of them was taken in, in milliseconds of recorded time.
  package let sinceMs: Int64
}
