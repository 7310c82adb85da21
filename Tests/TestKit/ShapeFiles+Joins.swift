// Pairs of events, as a user would write them.
extension Shape {
  var joinContracts: [(String, String)] {
    joins.map { join in
      (
        join.name,
        head("goods/\(join.name)", product: true) + schema(join.name)
          + "      - {name: one, logicalType: string, required: true}\n"
          + "      - {name: other, logicalType: string, required: true}\n"
          + property("amount", type(.amount)) + property("n", type(.n))
      )
    }
  }

  var joinStreams: String {
    joins.map { join in
      var side = "  \(join.name)left:\n    from: \(source(join.left))\n"
      if join.times > 1 {
        let times = Array(repeating: "1", count: join.times).joined(separator: ", ")
        side += "    explode: {copy: \"[\(times)]\"}\n"
      }
      if let filter = join.filter {
        side += "    where: \(filter.text("event", filter.field.rawValue))\n"
      }
      let key = join.key.parts.map { "event.\($0)" }.joined(separator: ", ")
      return side + """
          \(join.name)s:
            join:
              left: \(join.name)left
              right: \(source(join.right))
              key: [\(key)]
              within: \(join.withinS)s
        \(join.graceS.map { "      grace: \($0)s\n" } ?? "")
        """
    }.joined()
  }

  var joinOutputs: String {
    joins.map { join in
      """
        \(join.name):
          from: \(join.name)s
          key: key.\(join.key.parts[0])
          partitions: \(outputPartitions)
          select: |
            one = left.eventId
            other = right.eventId
            amount = left.amount
            n = right.n

      """
    }.joined()
  }
}
