import Kafka
import Records

/// The partitions that a loop owns, and how far it has read each input: its own map of processed
/// offsets, since the client's position runs ahead of what was processed (rule 1).
struct OwnedPartitions {
  private static let notOwned: Int64 = -1

  private let inputCount: Int
  /// By input and partition: the next offset to take, or `notOwned`.
  private var next: [ContiguousArray<Int64>]
  /// By journal and partition.
  private var slots: [[JournalSlot?]]

  init(inputCount: Int, journalPartitions: [Int32]) {
    self.inputCount = inputCount
    next = Array(repeating: [], count: inputCount)
    slots = journalPartitions.map { Array(repeating: nil, count: Int($0)) }
  }

  func isInput(_ at: TopicPartition) -> Bool { at.topic.value < inputCount }

  /// The journal that a consumer topic is; nil for an input.
  func journal(_ topic: TopicOrdinal) -> Int? {
    topic.value < inputCount ? nil : topic.value - inputCount
  }

  @inline(__always)
  func nextOffset(input: Int, _ partition: Partition) -> Int64? {
    let list = next[input]
    let place = Int(partition.value)
    if place >= list.count || list[place] == OwnedPartitions.notOwned { return nil }
    return list[place]
  }

  @inline(__always)
  mutating func advance(input: Int, _ partition: Partition, to offset: Int64) {
    next[input][Int(partition.value)] = offset
  }

  mutating func own(input: Int, _ partition: Partition, at offset: Int64) {
    while next[input].count <= Int(partition.value) {
      next[input].append(OwnedPartitions.notOwned)
    }
    next[input][Int(partition.value)] = offset
  }

  func slot(_ journal: Int, _ partition: Partition) -> JournalSlot? {
    let list = slots[journal]
    let place = Int(partition.value)
    return place < list.count ? list[place] : nil
  }

  mutating func own(_ slot: JournalSlot) {
    slots[slot.journal][Int(slot.partition.value)] = slot
  }

  mutating func drop(_ at: TopicPartition) {
    if let journal = journal(at.topic) {
      if Int(at.partition.value) < slots[journal].count {
        slots[journal][Int(at.partition.value)] = nil
      }
    } else if Int(at.partition.value) < next[at.topic.value].count {
      next[at.topic.value][Int(at.partition.value)] = OwnedPartitions.notOwned
    }
  }

  var allSlots: [JournalSlot] { slots.flatMap { $0.compactMap { $0 } } }

  /// How many there are, without making the list.
  var slotCount: Int { slots.reduce(0) { $0 + $1.count { $0 != nil } } }

  /// All inputs owned, with what to read next.
  var inputs: [PartitionOffset] {
    var result: [PartitionOffset] = []
    for (input, list) in next.enumerated() {
      for (place, offset) in list.enumerated() where offset != OwnedPartitions.notOwned {
        result.append(
          PartitionOffset(
            TopicPartition(
              topic: TopicOrdinal(input), partition: Partition(Int32(truncatingIfNeeded: place))),
            Offset(offset)))
      }
    }
    return result
  }

  /// Where the slot's partition is among the consumer's topics.
  func place(of slot: JournalSlot) -> TopicPartition {
    TopicPartition(topic: TopicOrdinal(inputCount + slot.journal), partition: slot.partition)
  }

  /// What a turn commits: inputs and journals together, every time.
  var offsets: [PartitionOffset] {
    inputs + allSlots.map { PartitionOffset(place(of: $0), $0.cursor.position) }
  }

  var isEmpty: Bool { inputs.isEmpty && allSlots.isEmpty }
}
