import Records

/// Where keys of maps stand in a table in memory; nothing that is read depends on it.
private let seed = HashSeed.random()

extension ValueRun {
  /// The entries of a map, keys and values in turns, without those whose key comes again: of these
  /// the last value counts, in the first one's place. The entries themselves are moved.
  func lastOfEach(in arena: Arena) -> ValueRun {
    if count < 4 { return self }
    var size = 4
    while size < count { size *= 2 }
    // Open addressing, at most half full: places of keys that were seen.
    let seen = arena.values(size)
    var kept = 0
    for index in 0..<count / 2 {
      let key = self[2 * index].view
      var place = Int(truncatingIfNeeded: key.hash(seed: seed)) & (size - 1)
      while !seen[place].isAbsent && self[2 * Int(seen[place].int)].view != key {
        place = (place + 1) & (size - 1)
      }
      if seen[place].isAbsent {
        seen[place] = .int(Int64(kept))
        self[2 * kept] = self[2 * index]
        self[2 * kept + 1] = self[2 * index + 1]
        kept += 1
      } else {
        self[2 * Int(seen[place].int) + 1] = self[2 * index + 1]
      }
    }
    return prefix(2 * kept)
  }
}
