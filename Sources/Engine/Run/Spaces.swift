import State

/// Which spaces of a partition's state the engine uses.
enum Spaces {
  /// Tables from 0 on, then inputs, for the ids of their events.
  static let max = 241
  /// By table and key: which sessions there are of it.
  static let sessions = Space(242)
  /// By mark and round: what has become of an event that another journal has handed on, which came
  /// to nothing here and may yet be taken back.
  static let handedFates = Space(241)
  /// By number: an event that went out under a global id, while a link that changes repairs it.
  static let history = Space(243)
  /// By identifier, system and local id: the number of the last such event.
  static let histories = Space(244)
  /// By key and a number: an event that waits behind one of its key that is in quarantine.
  static let waiting = Space(245)
  /// By key: which events wait behind that one.
  static let waitingKeys = Space(246)
  /// By key: the event in quarantine that blocks it; and by event, the key.
  static let blocked = Space(247)
  /// By the number of a join's side and the key: what it has of it.
  static let joins = Space(248)
  /// What falls due by the partition's clock.
  static let schedule = Space(249)
  /// By table and key, of rows that are gone and have an entry in the schedule: until when it is.
  static let ghosts = Space(250)
  /// By place in quarantine, and in its input: an event that was released or discarded.
  static let settled = Space(251)
  /// By identifier, system and local id: the global id, and the actual time of its link.
  static let links = Space(252)
  /// By the same: which events wait for the link.
  static let queues = Space(253)
  /// By the same and a number: an event that waits.
  static let held = Space(254)
  /// The partition's clocks, of recorded and of actual time, and how many events wait, and are
  /// identified.
  static let clock = Space(255)

  static func table(_ ordinal: Int) -> Space { Space(UInt8(ordinal)) }
  static func ids(ofInput input: Int, tables: Int) -> Space { Space(UInt8(tables + input)) }
}
