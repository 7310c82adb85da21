import Records

/// Lists whose elements a branch goes through one by one, the inner ones behind the outer. Plain
/// data; the lists are lent by the arena of the event at hand.
struct Exploding {
  struct List {
    let elements: ValueRun
    /// Of the branch: the step that named it.
    let step: Int
    var next = 0
  }

  private var lists: ContiguousArray<List> = []
  private var made = 0
  /// How many events a branch may make of one.
  let max: Int

  init(max: Int) { self.max = max }

  /// A branch begins.
  mutating func reset() {
    lists.removeAll(keepingCapacity: true)
    made = 0
  }

  mutating func begin(_ elements: ValueRun, at step: Int) {
    lists.append(List(elements: elements, step: step))
  }

  /// The next element of the innermost list that has one left; nil: none has. Null makes no event.
  mutating func next() -> (element: Value, step: Int)? {
    while let last = lists.indices.last {
      let list = lists[last]
      if list.next == list.elements.count {
        lists.removeLast()
        continue
      }
      lists[last].next += 1
      let element = list.elements[list.next]
      if !element.isAbsent { return (element, list.step) }
    }
    return nil
  }

  /// Counts an element; false: it is one too many.
  mutating func count() -> Bool {
    made += 1
    return made <= max
  }
}

extension Workbench {
  /// As ``follow(_:)``, of a branch that may make several events of the one at hand.
  @inline(never)
  func followExploding(_ branch: BranchPlan) -> Way {
    exploding.reset()
    let way = follow(branch, from: 0)
    return way == .out ? followNextElement(branch) : way
  }

  /// After `.on`: takes the next that the branch has made of the record at hand through the rest of
  /// its steps. `.out`: there is none.
  @inline(__always)
  func followNext(_ branch: BranchPlan) -> Way {
    branch.explodes ? followNextElement(branch) : .out
  }

  private func followNextElement(_ branch: BranchPlan) -> Way {
    while let (element, step) = exploding.next() {
      if !exploding.count() {
        failExploding(branch, step)
        return .failed
      }
      slots[branch.steps[step].slot] = element
      let way = follow(branch, from: step + 1)
      if way != .out { return way }
    }
    return .out
  }

  private func failExploding(_ branch: BranchPlan, _ step: Int) {
    fail(
      RunFault(
        reason: "too-many-entries",
        message: "`explode` by `\(branch.steps[step].name)` would make more than "
          + "\(exploding.max) events of one", place: ""))
  }

  /// Fails an event of which too much comes.
  func failSize(ofEventAt place: String) {
    fail(
      RunFault(
        reason: "event-too-large",
        message: "what comes of the event takes more than \(Limits.eventBytesMax) bytes",
        place: place))
  }
}
