import Records

/// What a program works on: one a thread, shared by all of its programs.
package final class Frame {
  /// The decoded fields of the record at hand; the caller fills them.
  package let slots: Slots
  /// Where new text and lists go; the caller resets it when the values are no longer needed.
  package let arena: Arena
  /// The programs' own; grown to the largest one at its first evaluation.
  private(set) var registers: ValueRun
  private var owner: Slots
  /// The run of ``slots``: one step less to go for each evaluation.
  let values: ValueRun
  /// Where text is written before it goes to the arena.
  let text = ByteBuffer(capacity: 256)

  /// Programs whose slots are beyond `slots` must not be evaluated here: that is checked, and ends
  /// the process.
  package init(slots: Slots, arena: Arena) {
    self.slots = slots
    self.arena = arena
    values = slots.run
    owner = Slots(count: 32)
    registers = owner.run
  }

  @inline(never)
  func grow(to count: Int) {
    owner = Slots(count: count * 2)
    registers = owner.run
  }
}
