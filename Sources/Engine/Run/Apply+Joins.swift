import Expressions
import Formats
import Records
import State

/// What an event adds to its side of a join, before it is known that all of the event succeeds.
struct StagedSide {
  /// Of the side among all joins' sides.
  let number: Int
  /// In the bench's keys: that number, then the key.
  let key: Range<Int>
  /// In the bench's rows: all that the side has of the key.
  var bytes: Range<Int>
  /// The state has nothing of the key yet.
  let isNew: Bool
}

// Joins. A side's events of one key are one row of the state, in the order of their actual times:
// each with its time and what is read of it. An event goes through what the other side has, and is
// then kept itself; the clock takes away what nothing can be paired with any more. So the pairs are
// the same whoever of the two comes first.
extension Apply {
  /// Pairs the event at hand on the sides that it is of.
  func pair(
    _ work: WorkPlan, _ emission: Emission, _ staged: inout StagedRows, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    sides.removeAll(keepingCapacity: true)
    var result = Workbench.Emitted.nothing
    for index in work.joins.indices {
      if !result.add(work.joins.lend(index, { pair($0, emission, &staged, batch) })) {
        return .failed
      }
    }
    return result
  }

  private func pair(
    _ side: JoinSidePlan, _ emission: Emission, _ staged: inout StagedRows, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let start = batch.bytes.count
    var result = Workbench.Emitted.nothing
    var way = bench.follow(side.branch)
    while way == .on {
      // What is made of a pair may explode it.
      let exploding = bench.exploding
      if !result.add(pairOne(side, emission, &staged, batch)) { return .failed }
      if max(batch.bytes.count - start, rows.count, keys.count) > Limits.eventBytesMax {
        bench.failSize(ofEventAt: side.join.name)
        return .failed
      }
      bench.exploding = exploding
      way = bench.followNext(side.branch)
    }
    return way == .failed ? .failed : result
  }

  private func pairOne(
    _ side: JoinSidePlan, _ emission: Emission, _ staged: inout StagedRows, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let join = side.join
    if let now = clock.nowMs, emission.time.milliseconds < now &- join.graceMs {
      bench.noteLate(join, emission.time, now)
      return .nothing
    }
    let start = keys.count
    keys.append(UInt8(join.number(side.side)))
    if !bench.appendKey(side.key, to: keys) { return .failed }
    if keys.count - start > Ingest.keyBytesMax {
      bench.failSize(ofKey: join.name, keys.count - start)
      return .failed
    }
    let own = start..<keys.count
    let values = arena.values(side.fields.count)
    for index in side.fields.indices {
      values[index] = side.fields[index].evaluate(bench.frame)
      if values[index].isError {
        bench.fail(side.fields[index].fault(values[index]))
        return .failed
      }
    }
    var result = Workbench.Emitted.nothing
    if let others = others(of: own, side) {
      result = meet(others, side, values, emission, &staged, batch)
      if case .failed = result { return .failed }
    }
    return stage(side, own, values, emission.time) ? result : .failed
  }

  /// What the other side has of the key, in the arena.
  private func others(of own: Range<Int>, _ side: JoinSidePlan) -> ByteView? {
    let key = arena.copy(keys[own.lowerBound + 1..<own.upperBound])
    let start = keys.count
    keys.append(UInt8(side.join.number(1 - side.side)))
    keys.append(key)
    let others = state.get(Spaces.joins, keys[start..<keys.count]).map { arena.copy($0) }
    keys.truncate(to: start)
    return others
  }

  // MARK: Pairs

  private func meet(
    _ others: ByteView, _ side: JoinSidePlan, _ values: ValueRun, _ emission: Emission,
    _ staged: inout StagedRows, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    let join = side.join
    let time = bench.slots[Variable.time]
    defer { bench.slots[Variable.time] = time }
    let key = arena.values(side.key.parts.count)
    for part in side.key.parts.indices { key[part] = side.key.parts[part].evaluate(bench.frame) }
    bench.slots[join.slots.key] = .object(key)
    bench.set(join, side.side, values)
    var result = Workbench.Emitted.nothing
    var entries = JoinEntries(others)
    while let entry = entries.next() {
      guard join.isNear(entry.time, emission.time) else { continue }
      var reader = ByteReader(entry.value)
      guard let other = reader.value(arena), other.kind == .list else { continue }
      bench.set(join, 1 - side.side, other.run)
      if !result.add(emit(join, emission.at(max(entry.time, emission.time)), &staged, batch)) {
        return .failed
      }
    }
    return result
  }

  /// What is made of the pair at hand.
  private func emit(
    _ join: JoinPlan, _ emission: Emission, _ staged: inout StagedRows, _ batch: OutputBatch
  ) -> Workbench.Emitted {
    bench.slots[Variable.time] = .timestamp(emission.time)
    let change = RowChange(time: emission.time)
    for index in join.clauses.indices {
      if !join.clauses.lend(index, { run($0, change, &staged) }) { return .failed }
    }
    return bench.emit(join.ports, emission, to: batch)
  }

  // MARK: What is kept

  /// Adds the event at hand to what its side has of the key; false: that is too much.
  private func stage(
    _ side: JoinSidePlan, _ own: Range<Int>, _ values: ValueRun, _ time: Timestamp
  ) -> Bool {
    let join = side.join
    let number = join.number(side.side)
    let known = sides.firstIndex { $0.number == number && keys[$0.key] == keys[own] }
    let old =
      known.map { arena.copy(rows[sides[$0].bytes]) }
      ?? state.get(Spaces.joins, keys[own]).map { arena.copy($0) }
    let start = rows.count
    let valueStart = keys.count
    keys.append(Value.list(values))
    let new = JoinEntries.Entry(time: time, value: keys[valueStart..<keys.count])
    let count = JoinEntries.write(old ?? .empty, adding: new, to: rows) { isOver($0, join) }
    keys.truncate(to: valueStart)
    if count > join.entriesMax {
      bench.failEntries(of: join)
      return false
    }
    if rows.count - start > Limits.rowBytesMax {
      bench.failSize(ofRow: join.name, rows.count - start)
      return false
    }
    if let known {
      sides[known].bytes = start..<rows.count
    } else {
      sides.append(
        StagedSide(number: number, key: own, bytes: start..<rows.count, isNew: old == nil))
    }
    return true
  }

  private func isOver(_ time: Timestamp, _ join: JoinPlan) -> Bool {
    clock.nowMs.map { join.end(of: time) <= $0 } ?? false
  }

  /// Puts what is staged into the state; whether there is any.
  func keepSides() -> Bool {
    for side in sides {
      state.put(Spaces.joins, keys[side.key], rows[side.bytes])
      if side.isNew {
        schedule(side.number, keys[side.key].suffix(from: 1), rows[side.bytes])
        countSides(1)
      }
    }
    return !sides.isEmpty
  }

  /// Has a side's events of a key looked at when the last of them is over.
  private func schedule(_ number: Int, _ key: ByteView, _ entries: ByteView) {
    var entries = JoinEntries(entries)
    var last: Timestamp?
    while let entry = entries.next() { last = entry.time }
    guard let last else { return }
    let due = joins.lend(number / JoinPlan.sides) { $0.end(of: last) }
    schedule.append(due, table: tables.count + number, key: key)
  }

  /// How many rows hold what sides of joins have.
  var sideCount: Int { state.get(Spaces.joins, .empty).map { Int($0.int64(at: 0)) } ?? 0 }

  private func countSides(_ change: Int) {
    let count = sideCount + change
    state.upsert(Spaces.joins, .empty, length: 8).row.set(int64: Int64(count), at: 0)
  }

  /// The clock has come to where a side's events of a key were over: those that came since are not.
  func clearSide(_ number: Int, _ key: Range<Int>) {
    let start = keys.count
    let name = arena.copy(keys[key])
    keys.append(UInt8(number))
    keys.append(name)
    let own = start..<keys.count
    guard let old = state.get(Spaces.joins, keys[own]).map({ arena.copy($0) }) else { return }
    let first = rows.count
    let count = joins.lend(number / JoinPlan.sides) { join in
      JoinEntries.write(old, adding: nil, to: rows) { isOver($0, join) }
    }
    if count == 0 {
      state.delete(Spaces.joins, keys[own])
      countSides(-1)
    } else {
      state.put(Spaces.joins, keys[own], rows[first..<rows.count])
      schedule(number, name, rows[first..<rows.count])
    }
    rows.truncate(to: first)
  }
}

extension Workbench {
  /// Sets the variable of a side.
  fileprivate func set(_ join: JoinPlan, _ side: Int, _ values: ValueRun) {
    let first = join.slots.fields[side]
    for index in join.places[side].indices where index < values.count {
      slots[first + join.places[side][index]] = values[index]
    }
    let object = join.slots.objects[side]
    slots[object] = .object(slots[first..<object])
  }

  fileprivate func noteLate(_ join: JoinPlan, _ time: Timestamp, _ nowMs: Int64) {
    noteLate(
      RunFault(
        reason: "late",
        message:
          "the actual time \(time) is more than \(join.graceMs) ms behind the journal's clock, "
          + "\(Timestamp(milliseconds: nowMs))", place: join.name))
  }

  fileprivate func failEntries(of join: JoinPlan) {
    fail(
      RunFault(
        reason: "too-many-entries",
        message:
          "`\(join.name)` would keep more than \(join.entriesMax) events of one key and side",
        place: join.name))
  }
}
