import Engine
import Formats
import Kafka
import Product
import Records

// Chained journals: their order is history, and all else in them follows from the first one.
extension Checks {
  /// A handed event as it lies in a chained journal.
  private struct Found {
    let place: String
    let origin: JournalOrigin
    let owner: String
    let id: String?
    let key: [UInt8]?
    let payload: [UInt8]?
  }

  /// Every event that the first journal hands on is there once, behind those of its partition that
  /// were handed on before it, with the id that was known then; the reference reads it.
  func checkChained(_ number: Int, _ reference: inout Reference) {
    let journal = definition.journals[number]
    let key = key(of: number)
    let expected = reference.handed[key] ?? []
    let failures = self.failures
    var places: [String: Int] = [:]
    for (index, handed) in expected.enumerated() { places[handed.name] = index }
    var seen: Set<Int> = []
    for partition in 0..<Int(journal.partitions) {
      var read: [Reference.Chained] = []
      var last: [String: Int] = [:]
      for entry in entries(of: journal, partition) {
        let found: Found
        switch entry {
        case .control(let control, let source):
          let failed = failures[control.quarantine].map(name) ?? ""
          read.append(.control(control, source: source, handed: failed))
          continue
        case .event(let event): found = event
        }
        guard let index = places[name(found.origin)] else {
          run.fail("\(found.place) is in journal \(key), and nobody has handed it on")
          continue
        }
        let should = expected[index]
        if !seen.insert(index).inserted { run.fail("\(found.place) was handed on twice") }
        let before = "\(should.journal)/\(should.partition)"
        if index <= last[before] ?? -1 {
          run.fail("\(found.place) was handed on out of order")
        }
        last[before] = index
        check(found, should, key, partition, of: journal)
        read.append(.event(should))
      }
      if !run.failures.isEmpty { return }
      reference.read(read, of: key, partition)
    }
    for (index, handed) in expected.enumerated() where !seen.contains(index) {
      run.fail("\(handed.name) is missing in journal \(key)")
    }
  }

  private func check(
    _ found: Found, _ should: Reference.Handed, _ key: Shape.Key, _ partition: Int,
    of journal: JournalDefinition
  ) {
    let input = should.event.input
    if found.owner != should.owner {
      run.fail("\(found.place) was handed on as of \(found.owner), not \(should.owner)")
    }
    if found.origin.recordedMs != should.event.recordedMs {
      run.fail("\(found.place) was handed on with another recorded time")
    }
    let text = Array(input.text(of: key, owner: should.owner).utf8)
    if Int(ByteView.lending(text) { partitionOf($0, journal.partitions) }) != partition {
      run.fail("\(found.place) was handed on to partition \(partition)")
    }
    let isIdKept = shape.horizonS == nil || found.id == input.id
    if found.key != input.key || found.payload != input.value || !isIdKept {
      run.fail("\(found.place) was handed on changed")
    }
  }

  /// What tells a handed event from others: ``Reference/Handed/name``.
  private func name(_ origin: JournalOrigin) -> String {
    "\(place(origin)) \(origin.correction?.round ?? 0)"
      + (origin.correction?.isTakenBack ?? false ? " back" : "")
  }

  private func place(_ origin: JournalOrigin) -> String {
    "\(definition.journals[origin.journal].name)/\(origin.partition.value)"
      + "/\(origin.position.block.value)/\(origin.position.index)"
  }

  /// By place in quarantine: the handed event that came to nothing.
  private var failures: [Int64: JournalOrigin] {
    var all: [Int64: JournalOrigin] = [:]
    for record in run.quarantine.compactMap(\.event) {
      if case .handed(let handed)? = record.extent { all[record.offset] = handed.origin }
    }
    return all
  }

  private enum Entry {
    case event(Found)
    case control(Reference.Control, source: String)
  }

  private func entries(of journal: JournalDefinition, _ partition: Int) -> [Entry] {
    var all: [Entry] = []
    for (offset, record) in broker.committed(journal.topic, partition) {
      ByteView.lending(record.value ?? []) { bytes in
        do {
          let block = try JournalBlock(bytes)
          var events = block.events
          while try events.next() {
            if let control = events.control {
              all.append(
                .control(
                  Reference.Control(
                    control.quarantine.value, isDiscard: control.action == .discard),
                  source: source(
                    events.event.input, Int(events.event.partition.value),
                    Int(events.event.offset.value))))
              continue
            }
            guard let origin = events.event.origin else {
              run.fail("\(journal.topic)/\(partition)/\(offset) was not handed on")
              return
            }
            var known = JournalIdentifiers(events.event.identifiers)
            all.append(
              .event(
                Found(
                  place: place(origin), origin: origin,
                  owner: known.next()?.global.text ?? "", id: events.event.id?.text,
                  key: events.event.key?.copied(), payload: events.event.payload?.copied())))
          }
        } catch {
          run.fail("\(journal.topic)/\(partition)/\(offset): \(error)")
        }
      }
    }
    return all
  }
}
