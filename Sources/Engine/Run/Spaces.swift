import State

/// Which spaces of a partition's state the engine uses.
enum Spaces {
  /// Tables from 0 on, then inputs, for the ids of their events.
  static let max = 254
  /// One row: the partition's recorded clock.
  static let clock = Space(255)

  static func table(_ ordinal: Int) -> Space { Space(UInt8(ordinal)) }
  static func ids(ofInput input: Int, tables: Int) -> Space { Space(UInt8(tables + input)) }
}
