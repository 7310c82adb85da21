/// The candidate a person most likely meant by `name`: at most two edits away (one for names up to
/// four letters), the nearest first; of equals the one that begins alike for longest, as people err
/// more at a name's end, then the earlier; nil when none is near. Letters' case costs nothing.
/// Cost: the product of the lengths, per candidate; for messages only.
///
/// An edit adds, removes or replaces a letter, or swaps two neighbours (optimal string alignment).
package func closest(
  to name: String, among candidates: some Sequence<String>
) -> String? {
  let wanted = Array(name.lowercased().unicodeScalars)
  let editsMax = wanted.count <= 2 ? 0 : wanted.count <= 4 ? 1 : 2
  var best: (name: String, edits: Int, alike: Int)?
  for candidate in candidates where candidate != name {
    let scalars = Array(candidate.lowercased().unicodeScalars)
    guard abs(scalars.count - wanted.count) <= editsMax else { continue }
    let edits = edits(from: wanted, to: scalars)
    let alike = zip(wanted, scalars).prefix { $0 == $1 }.count
    guard edits <= editsMax else { continue }
    if let best, (best.edits, -best.alike) <= (edits, -alike) { continue }
    best = (candidate, edits, alike)
  }
  return best?.name
}

private func edits(from left: [Unicode.Scalar], to right: [Unicode.Scalar]) -> Int {
  var beforePrevious = [Int](repeating: 0, count: right.count + 1)
  var previous = Array(0...right.count)
  var current = previous
  for i in left.indices {
    current[0] = i + 1
    for j in right.indices {
      let replaced = previous[j] + (left[i] == right[j] ? 0 : 1)
      var edits = min(previous[j + 1] + 1, current[j] + 1, replaced)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
        edits = min(edits, beforePrevious[j - 1] + 1)
      }
      current[j + 1] = edits
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[right.count]
}
