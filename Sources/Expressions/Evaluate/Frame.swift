import Records

/// What a program works on: one a thread, shared by all of its programs.
package final class Frame {
  /// The decoded fields of the record at hand; the caller fills them.
  package let slots: Slots
  /// Where new text and lists go; the caller resets it when the values are no longer needed.
  package let arena: Arena
  /// The programs' own; grown to the largest one at its first evaluation.
  package private(set) var registers = Slots(count: 16)

  package init(slots: Slots, arena: Arena) {
    self.slots = slots
    self.arena = arena
  }

  func grow(to count: Int) {
    if registers.count < count { registers = Slots(count: count) }
  }
}
