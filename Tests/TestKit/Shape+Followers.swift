extension Shape {
  /// A table that is made of the changes of another one's rows: how often they changed and went,
  /// and what a column of them was and is.
  package struct Follower: Sendable, Hashable {
    package var name: String
    /// Place of the table.
    package var table: Int
    /// One that counts, or a whole number.
    package var column: Int
    /// As the table's, or only its first part.
    package var key: Key
  }

  /// An event port of the same.
  package struct ChangePort: Sendable, Hashable {
    package var name: String
    package var table: Int
    package var column: Int
  }

  /// Has tables and ports made of the rows of tables.
  mutating func follow(_ random: inout Random) {
    for place in tables.indices {
      let table = tables[place]
      let columns = table.columns.indices.filter {
        table.columns[$0].isCount || table.columns[$0].isWhole
      }
      if columns.isEmpty || table.expireS != nil || table.window != nil { continue }
      if relinks && table.isIdentified { continue }
      if random.percent(60) {
        let isShort = journal(of: table) == .account && random.percent(50)
        followers.append(
          Follower(
            name: "follower\(place)", table: place, column: random.pick(columns),
            key: isShort ? .account : table.key))
      }
      if random.percent(60) {
        changePorts.append(
          ChangePort(name: "changes\(place)", table: place, column: random.pick(columns)))
      }
    }
  }
}
