import Formats
import Records

/// A block of handed events, to be written with something wrong in it.
enum HandedBlock {
  /// The block with its events, and whose each is, as `change` leaves them; nil: it is no such
  /// block.
  static func changed(
    _ bytes: [UInt8]?, _ change: (inout [(event: JournalEvent, owner: [UInt8])]) -> Void
  ) -> [UInt8]? {
    ByteView.lending(bytes ?? []) { view in
      guard let block = try? JournalBlock(view), block.kind == .handed else { return nil }
      var all: [(event: JournalEvent, owner: [UInt8])] = []
      var events = block.events
      while (try? events.next()) == true {
        var known = JournalIdentifiers(events.event.identifiers)
        all.append((events.event, known.next()?.global.copied() ?? []))
      }
      change(&all)
      let builder = JournalBlockBuilder(kind: .handed)
      for (event, owner) in all {
        var event = event
        let identifiers = ByteBuffer(capacity: 64)
        ByteView.lending(owner) { identifiers.appendJournalIdentifier(0, $0) }
        event.identifiers = identifiers.view
        _ = builder.append(event)
      }
      return builder.seal(
        recordedMs: block.recordedMs, digest: block.digest, inputPositions: block.inputPositions
      ).copied()
    }
  }

  /// What a planted fault makes of a block: none, one or more.
  static func planted(
    _ record: SimulatedBroker.Record, _ simulation: Simulation, isFirstOfSuccessor: Bool
  ) -> [SimulatedBroker.Record] {
    let isHanded = changed(record.value, { _ in }) != nil
    if !isHanded { return [record] }
    if isFirstOfSuccessor && simulation.plants.contains(.handedLost) { return [] }
    if simulation.isHit(.handedTwice) { return [record, record] }
    if simulation.plants.contains(.handedKept) {
      var isLeft = false
      let value = changed(record.value) { events in
        events.removeAll { $0.event.origin?.correction?.isTakenBack ?? false }
        isLeft = !events.isEmpty
      }
      var record = record
      record.value = value
      return isLeft ? [record] : []
    }
    let value = changed(record.value) { events in
      if simulation.plants.contains(.handedReordered) { events.reverse() }
      for index in events.indices {
        if simulation.isHit(.handedAsOther) {
          events[index].owner = Array((events[index].owner == Array("w0".utf8) ? "w1" : "w0").utf8)
        }
        if simulation.isHit(.handedLate) { events[index].event.origin?.recordedMs += 1 }
      }
    }
    var record = record
    record.value = value
    return [record]
  }
}
