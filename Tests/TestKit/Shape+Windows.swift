extension Shape {
  /// Has some windows shown once, with ports of what is closed.
  mutating func close(_ random: inout Random) {
    for place in tables.indices where tables[place].window != nil && random.percent(50) {
      tables[place].window?.isFinal = true
      let columns = tables[place].columns
      let numbers = columns.indices.filter { columns[$0].isCount || columns[$0].isWhole }
      if numbers.isEmpty || random.percent(40) { continue }
      changePorts.append(
        ChangePort(name: "closings\(place)", table: place, column: random.pick(numbers)))
    }
  }
}
