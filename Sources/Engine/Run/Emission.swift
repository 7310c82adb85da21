import Formats
import Records

/// What all records of one event share, on their way out. Holds no reference, so that nothing is
/// counted when it is passed on.
struct Emission {
  /// The event's own Kafka key, for ports that take it.
  let sourceKey: ByteView?
  /// The journal's partition, or of a direct product the source's: where rows go, and records
  /// without a key.
  let partition: Partition
  let recordedMs: Int64
  let time: Timestamp
  let identity: Identity
  /// Of records of event ports: what they correct.
  var correction = Correction.none
  /// Records are made and checked, and not published: whether they can be, when their time comes.
  var isTrial = false

  /// The same with another actual time.
  func at(_ time: Timestamp) -> Emission {
    Emission(
      sourceKey: sourceKey, partition: partition, recordedMs: recordedMs, time: time,
      identity: identity, correction: correction)
  }

  /// What the `ce_id`s of its records begin with.
  enum Identity {
    case position(Position)
    /// Of a direct product: the event's own id, or where it came from.
    case event(ByteView)
    case source(topic: ByteView, Partition, Offset)
    /// Of an event that is corrected, so many times by now.
    case corrected(Position, round: Int)
  }
}

/// Writes the per-record headers of CloudEvents; keeps the text of what several records share.
final class HeaderWriter {
  /// What the headers of one record take at most, but for those that say what it corrects.
  static let bytesMax = 256
  private let texts = ByteBuffer(capacity: 256)
  private var recordedEnd = 0
  private var recordedMs: Int64 = .min
  /// Whether the id of the event at hand stands in ``texts``.
  private var hasId = false
  /// By port: the number of the last record that the event at hand made there; −1: none.
  private let made: Cells

  init(ports: Int) {
    made = Cells(count: ports, repeating: -1)
  }

  /// A new event is at hand.
  @inline(__always)
  func begin() {
    if hasId { made.fill(-1) }
    hasId = false
  }

  /// Appends `ce_id`, `ce_time` and `ce_recordedtime` of the next record of `port`.
  func append(_ emission: Emission, port: Int, to bytes: ByteBuffer) {
    let sequence = made[port] + 1
    made[port] = sequence
    if recordedMs != emission.recordedMs { setRecorded(emission.recordedMs) }
    if !hasId { setId(emission) }
    bytes.append("\u{5}ce_id" as StaticString)
    if sequence == 0 {
      bytes.append(varint: UInt64(texts.count - recordedEnd))
      bytes.append(texts[recordedEnd..<texts.count])
    } else {
      appendNumbered(sequence, bytes)
    }
    bytes.append("\u{7}ce_time" as StaticString)
    let lengthAt = bytes.count
    bytes.append(0)
    bytes.append(emission.time)
    bytes.replace(at: lengthAt, littleEndian: UInt8(bytes.count - lengthAt - 1))
    bytes.append("\u{f}ce_recordedtime" as StaticString)
    bytes.append(varint: UInt64(recordedEnd))
    bytes.append(texts[0..<recordedEnd])
  }

  /// The number, from 0, of the last record that the event at hand made at a port; −1: none.
  func sequence(ofPort port: Int) -> Int32 { made[port] }

  /// What the event at hand has made at a port behind that number was taken out of the batch.
  func forget(port: Int, behind sequence: Int32) { made[port] = sequence }

  /// Appends `ce_op` and `ce_corrects` of a record of `port` that corrects another one: what makes
  /// several records makes as many that take them back, in the same order.
  func append(_ correction: Correction, _ emission: Emission, port: Int, to bytes: ByteBuffer) {
    switch correction {
    case .none: return
    case .assert: bytes.append("\u{5}ce_op\u{6}assert" as StaticString)
    case .retract, .retractId: bytes.append("\u{5}ce_op\u{7}retract" as StaticString)
    }
    switch correction {
    case .none, .assert: break
    case .retract(let position, let round, let shift):
      bytes.append("\u{b}ce_corrects" as StaticString)
      let lengthAt = bytes.count
      bytes.append(0)
      bytes.appendCloudEventsID(partition: emission.partition, position: position)
      bytes.append(round: round)
      let number = max(made[port], 0) &+ shift
      if number > 0 {
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: UInt64(number))
      }
      bytes.replace(at: lengthAt, littleEndian: UInt8(bytes.count - lengthAt - 1))
    case .retractId(let id):
      bytes.append("\u{b}ce_corrects" as StaticString)
      bytes.append(varint: UInt64(id.count))
      bytes.append(id)
    }
  }

  private func appendNumbered(_ sequence: Int32, _ bytes: ByteBuffer) {
    let end = texts.count
    texts.append(UInt8(ascii: "-"))
    texts.append(decimal: UInt64(sequence))
    bytes.append(varint: UInt64(texts.count - recordedEnd))
    bytes.append(texts[recordedEnd..<texts.count])
    texts.truncate(to: end)
  }

  private func setRecorded(_ milliseconds: Int64) {
    texts.clear()
    texts.append(Timestamp(milliseconds: milliseconds))
    recordedEnd = texts.count
    recordedMs = milliseconds
    hasId = false
  }

  private func setId(_ emission: Emission) {
    texts.truncate(to: recordedEnd)
    switch emission.identity {
    case .position(let position):
      texts.appendCloudEventsID(partition: emission.partition, position: position)
    case .event(let id): texts.append(id)
    case .corrected(let position, let round):
      texts.appendCloudEventsID(partition: emission.partition, position: position)
      texts.append(round: round)
    case .source(let topic, let partition, let offset):
      texts.append(topic)
      texts.append(UInt8(ascii: "-"))
      texts.append(decimal: Int64(partition.value))
      texts.append(UInt8(ascii: "-"))
      texts.append(decimal: offset.value)
    }
    hasId = true
  }
}
