import Expressions
import Product
import Records

/// A stream of pairs, compiled: where its two sides are kept, and what is made of a pair.
final class JoinPlan {
  static let sides = 2

  /// Where a pair stands in the frame of events, before all that these use.
  struct Slots {
    /// By side: the first of its fields, and behind these all of them as an object.
    let fields: [Int]
    let objects: [Int]
    let key: Int
    let end: Int

    init(_ join: JoinDefinition, first: Int) {
      let right = first + join.left.object.fields.count + 1
      key = right + join.right.object.fields.count + 1
      fields = [first, right]
      objects = [right - 1, key - 1]
      end = key + 1
    }
  }

  let ordinal: Int
  let name: String
  let withinMs: Int64
  let graceMs: Int64
  let slots: Slots
  /// By side: the fields that are read, which are kept.
  let places: [ContiguousArray<Int>]
  /// How many events a side may have of one key.
  let entriesMax: Int
  let clauses: Lent<ClausePlan>
  let ports: Lent<EventPortPlan>
  /// One behind the last slot that a program of it uses.
  let slotEnd: Int

  init(
    _ join: JoinDefinition, ordinal: Int, slots: Slots, clauses: ContiguousArray<ClausePlan>,
    ports: ContiguousArray<EventPortPlan>, slotEnd: Int, entriesMax: Int
  ) {
    self.ordinal = ordinal
    name = join.name
    withinMs = join.withinMs
    graceMs = join.graceMs
    self.slots = slots
    places = join.sides.map { side in
      ContiguousArray(side.fields.indices.filter { side.fields[$0] != nil })
    }
    self.clauses = Lent(clauses)
    self.ports = Lent(ports)
    self.slotEnd = slotEnd
    self.entriesMax = entriesMax
  }

  /// Where the slots of a pair's variables are.
  static func source(_ join: JoinDefinition, _ slots: Slots) -> SourceSlots {
    SourceSlots(
      slot: { path in
        guard let root = path.parts.first else { return nil }
        if path.parts == ["key"] { return slots.key }
        guard let side = ["left", "right"].firstIndex(of: root) else {
          return path.parts.count == 1 ? Variable.slot(path.parts) : nil
        }
        if path.parts.count == 1 { return slots.objects[side] }
        if path.parts.count > 2 { return nil }
        return join.sides[side].object.index(of: path.parts[1]).map { slots.fields[side] + $0 }
      }, end: slots.end)
  }

  /// Whether two times are close enough to be paired.
  func isNear(_ one: Timestamp, _ other: Timestamp) -> Bool {
    let (early, late) = one < other ? (one, other) : (other, one)
    let seconds = Int128(late.seconds) - Int128(early.seconds)
    let rest = Int128(late.nanoseconds) - Int128(early.nanoseconds)
    return seconds * 1_000_000_000 + rest <= Int128(withinMs) * 1_000_000
  }

  /// When nothing that is not late can be paired with an event of that time any more. Two
  /// milliseconds later than it seems: the times of a pair are finer than those of clocks, and what
  /// is as late as `grace` says is not late yet.
  func end(of time: Timestamp) -> Int64 {
    time.milliseconds.addingSaturating(withinMs).addingSaturating(graceMs).addingSaturating(2)
  }

  /// By which number a side is known: in the keys of what is kept, and to the schedule.
  func number(_ side: Int) -> Int { ordinal * JoinPlan.sides + side }
}

/// What an event brings to a join.
final class JoinSidePlan {
  let join: JoinPlan
  /// 0 is left, 1 is right.
  let side: Int
  let branch: BranchPlan
  let key: KeyPlan
  /// What is kept: those fields of the side that ``JoinPlan/places`` names.
  let fields: ContiguousArray<Term>

  init(
    join: JoinPlan, side: Int, branch: BranchPlan, key: KeyPlan, fields: ContiguousArray<Term>
  ) {
    self.join = join
    self.side = side
    self.branch = branch
    self.key = key
    self.fields = fields
  }
}

extension Int64 {
  fileprivate func addingSaturating(_ other: Int64) -> Int64 {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? (other < 0 ? .min : .max) : sum
  }
}
