import Formats
import Records

/// Where a chained journal has an event from, and the global id by which it was handed on: with its
/// bytes all that it takes to have it come once more.
package struct HandedOrigin: Hashable, Sendable {
  package let origin: JournalOrigin
  /// The identifier's number in the product.
  let identifier: Int
  let global: [UInt8]

  /// Nil for an event that was not handed on.
  init?(_ event: JournalEvent) {
    guard let origin = event.origin else { return nil }
    var known = JournalIdentifiers(event.identifiers)
    guard let entry = known.next() else { return nil }
    self.origin = origin
    identifier = entry.identifier
    global = entry.global.copied()
  }

  /// As in a header: journal, way, place, recorded time, identifier, and the id, which may hold
  /// anything. A place has behind it what was corrected there, if anything was.
  var text: String {
    var place = "\(origin.partition.value)-\(origin.position.block.value)-\(origin.position.index)"
    if let correction = origin.correction {
      place +=
        "-\(correction.round)-\(correction.isTakenBack ? "back" : "anew")-\(correction.recordedMs)"
    }
    return "\(origin.journal) \(origin.way) \(place) \(origin.recordedMs) \(identifier) "
      + String(decoding: global, as: UTF8.self)
  }

  init?(text: Substring) {
    let words = text.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
    guard words.count == 6, let journal = Int(words[0]), let way = Int(words[1]),
      let recordedMs = Int64(words[3]), let identifier = Int(words[4]),
      journal >= 0, way >= 0, identifier >= 0
    else { return nil }
    let place = words[2].split(separator: "-")
    guard place.count == 3 || place.count == 6, let partition = Int32(place[0]),
      let block = Int64(place[1]),
      let index = UInt32(place[2])
    else { return nil }
    var origin = JournalOrigin(
      journal: journal, way: way, partition: Partition(partition),
      position: Position(block: Offset(block), index: index), recordedMs: recordedMs)
    if place.count == 6 {
      guard let round = Int(place[3]), round >= 0, let correctedMs = Int64(place[5]) else {
        return nil
      }
      origin.correction = JournalCorrection(
        round: round, isTakenBack: place[4] == "back", recordedMs: correctedMs)
    }
    self.origin = origin
    self.identifier = identifier
    global = Array(words[5].utf8)
  }
}
