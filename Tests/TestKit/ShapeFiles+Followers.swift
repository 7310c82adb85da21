// What is made of the rows of tables, as a user would write it.
extension Shape {
  private func column(_ table: Int, _ column: Int) -> String { tables[table].columns[column].name }

  var changeContracts: [(String, String)] {
    let number = type(.n)
    return followers.map { follower in
      var text = head("goods/\(follower.name)", product: true) + schema(follower.name)
      for (place, part) in follower.key.parts.enumerated() {
        text +=
          "      - {name: \(part), logicalType: string, required: true,"
          + " primaryKey: true, primaryKeyPosition: \(place + 1)}\n"
      }
      for name in ["changes", "gone"] { text += property(name, number, required: true) }
      return (follower.name, text + property("seen", number) + property("before", number))
    }
      + changePorts.map { port in
        (
          port.name,
          head("goods/\(port.name)", product: true) + schema(port.name)
            + "      - {name: what, logicalType: string, required: true}\n"
            + property("now", number) + property("before", number)
        )
      }
  }

  var changeStreams: String {
    (followers.map { ($0.name, $0.table) } + changePorts.map { ($0.name, $0.table) }).map {
      let (name, table) = $0
      let part = tables[table].key.parts[0]
      let condition =
        tables[table].isFinal
        ? ""
        : followed.map { "    where: \"\($0.replacing("KEY", with: part))\"\n" } ?? ""
      return "  \(name)s:\n    from: \(tables[table].name)\n\(condition)"
    }.joined()
  }

  var followerTables: String {
    followers.map { follower in
      let name = column(follower.table, follower.column)
      let key = follower.key.parts.map { "key.\($0)" }.joined(separator: ", ")
      return """
          \(follower.name):
            key: [\(key)]
            on:
              \(follower.name)s: |
                changes = count()
                gone = count() if !has(row.\(follower.key.parts[0]))
                seen = last(row.?\(name))
                before = sum(\(old).?\(name))

        """
    }.joined()
  }

  var changeOutputs: String {
    followers.map { "  \($0.name):\n    from: \($0.name)\n" }.joined()
      + changePorts.map { port in
        let name = column(port.table, port.column)
        let part = tables[port.table].key.parts[0]
        return """
            \(port.name):
              from: \(port.name)s
              key: key.\(part)
              partitions: \(outputPartitions)
              select: |
                what = key.\(part)
                now = row.?\(name)
          \(tables[port.table].isFinal ? "" : "      before = \(old).?\(name)\n")
          """
      }.joined()
  }
}
