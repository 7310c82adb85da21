import Diagnostics
import Foundation
import Product

/// The files of a generated product, as a user would write them.
extension Shape {
  package struct Rejected: Error, CustomStringConvertible { package let description: String }

  /// Writes the files, has them checked and compiled, and takes them away again.
  package func definition() throws -> ProductDefinition {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("weft-simulation-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (path, text) in files {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let (domain, diagnostics) = loadDomain(at: folder.appendingPathComponent("shop").path)
    guard let product = domain?.products.first else {
      throw Rejected(
        description: diagnostics.map { "\($0.message)" }.joined(separator: "\n") + "\n"
          + (files["shop/goods/transform.yaml"] ?? ""))
    }
    return product
  }

  package var files: [String: String] {
    var files = [
      "mesh.yaml": """
      kind: Mesh
      name: simulated
      classifications: [public, internal]
      naming: {topics: "{domain}.{product}.{port}.v{major}"}
      identifiers:
        who:
          links: people#links@1
          link: {system: event.system, local: event.local, global: event.owner}

      """,
      "shop/worker.yaml": """
      kind: Worker
      domain: shop
      kafka: {bootstrap.servers: "nowhere:9092"}
      state: {directory: /nowhere}

      """,
      "shop/goods/product.odps.yaml": descriptor, "shop/goods/transform.yaml": transform,
    ]
    if usesLinks || usesKept { files.merge(desk) { first, _ in first } }
    for name in ownInputNames {
      files["shop/goods/contracts/\(name).odcs.yaml"] = inputContract(name)
    }
    for port in ports { files["shop/goods/contracts/\(port.name).odcs.yaml"] = contract(port) }
    for table in tables { files["shop/goods/contracts/\(table.name).odcs.yaml"] = contract(table) }
    for (name, text) in changeContracts + joinContracts {
      files["shop/goods/contracts/\(name).odcs.yaml"] = text
    }
    return files
  }

  /// The domain whose ports bring links, and rows.
  private var desk: [String: String] {
    [
      "desk/worker.yaml": """
      kind: Worker
      domain: desk
      kafka: {bootstrap.servers: "nowhere:9092"}

      """,
      "desk/product.odps.yaml": """
      apiVersion: v1.0.0
      kind: DataProduct
      id: people
      name: People
      version: "1.0.0"
      status: active
      domain: desk
      outputPorts:
        - {name: links, version: "1.0.0", contractId: people/links, type: kafka}
        - {name: kept, version: "1.0.0", contractId: people/kept, type: kafka}

      """,
      "desk/contracts/links.odcs.yaml": head("people/links", product: false)
        + schema("links", of: "desk.people") + property("system", type(.note), required: true)
        + property("local", type(.note), required: true)
        + property("owner", type(.note), required: true),
      "desk/contracts/kept.odcs.yaml": head("people/kept", product: false)
        + schema("kept", of: "desk.people") + keyProperties(keptKey)
        + (keptKey == .account ? property("branch", type(.note), required: true) : "")
        + property("eventId", type(.note), required: true)
        + [Field.amount, .n, .note].map { property($0.rawValue, type($0)) }.joined(),
      "desk/transform.yaml": """
      kind: Transform
      product: people
      inputs: {}
      tables:
        rows: {key: event.account, on: {}}
      outputs:
        links: {from: told, key: event.local, select: "local = event.local"}
        kept: {from: rows}

      """,
    ]
  }

  private var outputNames: [String] {
    tables.map(\.name) + ports.map(\.name) + followers.map(\.name) + changePorts.map(\.name)
      + joins.map(\.name)
  }

  private var descriptor: String {
    """
    apiVersion: v1.0.0
    kind: DataProduct
    id: goods
    name: Goods
    version: "1.0.0"
    status: active
    domain: shop
    description: {purpose: To be simulated.}
    team: {name: Shop, members: [{username: shop@example.org, role: owner}]}
    inputPorts:
    \(((usesKept ? ["kept"] : []) + ownInputNames)
      .map { "  - {name: \($0), version: \"1.0.0\", contractId: shop/\($0)}" }
      .joined(separator: "\n"))
    outputPorts:
    \(outputNames
      .map { "  - {name: \($0), version: \"1.0.0\", contractId: goods/\($0), type: kafka}" }
      .joined(separator: "\n"))

    """
  }

  func head(_ id: String, product: Bool, corrects: Bool = false) -> String {
    """
    apiVersion: v3.2.0
    kind: DataContract
    id: \(id)
    name: \(id)
    version: "1.0.0"
    status: active
    domain: shop
    \(product ? "dataProduct: goods\n" : "")servers:
      - {server: mesh, type: kafka, host: "nowhere", format: json}
    \(corrects ? "customProperties: [{property: weft.corrections, value: true}]\n" : "")schema:

    """
  }

  func property(_ name: String, _ type: String, required: Bool = false) -> String {
    "      - {name: \(name), \(type)\(required ? ", required: true" : "")}\n"
  }

  func type(_ field: Field, isNarrow: Bool = false) -> String {
    switch field {
    case .amount: "logicalType: number, physicalType: \"decimal(\(isNarrow ? 4 : 18),2)\""
    case .n: "logicalType: integer"
    case .note, .who: "logicalType: string"
    }
  }

  private func type(_ column: Column, isNarrow: Bool) -> String {
    let inner: String
    switch column.aggregate {
    case .count, .countDistinct, .rolled, .before, .divided: inner = type(.n)
    case .switched, .grown: inner = type(.note)
    case .quantile: inner = "logicalType: number"
    case .avg:
      inner =
        column.field == .amount
        ? "logicalType: number, physicalType: \"decimal(18,1)\"" : "logicalType: number"
    case .collect, .collectSet:
      inner = "logicalType: array, items: {\(type(column.field ?? .n))}"
    case .sum, .min, .max, .first, .last, .latest:
      inner = type(column.field ?? .n, isNarrow: isNarrow && column.isPlain)
    }
    return column.isMap
      ? "logicalType: map, map: {key: {logicalType: string}, value: {\(inner)}}" : inner
  }

  private func inputContract(_ name: String) -> String {
    var text = head("shop/\(name)", product: false, corrects: corrects && name == "moves")
    for kind in kinds where inputNames[input(of: kind)] == name {
      text += """
          - name: \(kind.rawValue)
            physicalName: ops.shop.\(name)
            physicalType: topic
            properties:

        """
      for field in ["eventId", "type", "account", "branch"] {
        text += "      - {name: \(field), logicalType: string, required: true}\n"
      }
      text += "      - {name: at, logicalType: timestamp, required: true}\n"
      for field in [Field.amount, .n, .note] {
        text += property(field.rawValue, type(field))
      }
      if explodes {
        text += property(
          "lines",
          mixesLines
            ? "customProperties: [{property: weft.type, value: dyn}]"
            : "logicalType: array, items: {logicalType: object, properties: [{name: sku, "
              + "logicalType: string, required: true}, {name: n, \(type(.n))}]}")
      }
    }
    return text
  }

  private func keyProperties(_ key: Key) -> String {
    key.parts.enumerated().map { place, part in
      "      - {name: \(part), logicalType: string, required: true,"
        + " primaryKey: true, primaryKeyPosition: \(place + 1)}\n"
    }.joined()
  }

  func schema(_ name: String, of product: String = "shop.goods") -> String {
    """
      - name: \(name)
        physicalName: \(product).\(name).v1
        physicalType: topic
        properties:

    """
  }

  private func contract(_ port: EventPort) -> String {
    head("goods/\(port.name)", product: true, corrects: corrects(port)) + schema(port.name)
      + "      - {name: id, logicalType: string, required: true}\n"
      + "      - {name: account, logicalType: string, required: true}\n"
      + property("amount", type(.amount, isNarrow: port.isNarrow))
      + property("n", type(.n)) + property("note", type(.note))
      + (port.isExploded ? property("sku", "logicalType: string", required: true) : "")
      + (port.lookup == nil ? "" : property("seen", type(.n)))
      + (port.isIdentified
        ? property("who", "logicalType: string", required: unmapped != .provisional) : "")
  }

  private func contract(_ table: Table) -> String {
    var text = head("goods/\(table.name)", product: true) + schema(table.name)
    text += keyProperties(table.key)
    if table.window != nil {
      text +=
        "      - {name: since, logicalType: timestamp, required: true,"
        + " primaryKey: true, primaryKeyPosition: \(table.key.parts.count + 1)}\n"
    }
    for column in table.columns {
      let startsAtZero = column.aggregate == .count || column.aggregate == .countDistinct
      text += property(
        column.name, type(column, isNarrow: table.isNarrow), required: column.isMap || startsAtZero)
    }
    if table.isDerived { text += property("label", "logicalType: string") }
    if table.showsEnd { text += property("until", "logicalType: timestamp") }
    return text
  }

  // MARK: transform.yaml

  func source(_ kind: Kind) -> String {
    let input = inputNames[input(of: kind)]
    return kind == .Told || kind == .Kept ? input : "\(input).\(kind.rawValue)"
  }

  private var transform: String {
    var text = "kind: Transform\nproduct: goods\n"
    if holdsKeys { text += "order: hold-key\n" }
    text += "inputs:\n"
    for (number, name) in ownInputNames.enumerated() {
      text += "  \(name):\n    topic: ops.shop.\(name)\n    format: json\n"
      text += "    contract: contracts/\(name).odcs.yaml\n"
      if number == 0 { text += "    discriminator: type\n" }
      if let horizonS, !corrects || name != "moves" {
        text += "    id: {field: eventId, horizon: \(horizonS)s}\n"
      }
      if hasTime { text += "    time: at\n" }
      text += "    start: earliest\n"
    }
    if usesKept {
      text += "  kept: {port: people#kept@1\(undoesDeletions ? "" : ", deletions: ignore")}\n"
    }
    text += isDirect ? "journal: none\n" : "journal:\n  partitions: \(journalPartitions)\n"
    var streams = ""
    for table in tables {
      for (place, clause) in table.clauses.enumerated() {
        if !table.hasStream(clause) { continue }
        let name = "\(table.name)s\(place)"
        let isByWho = table.key.isOfWho && unmapped == .provisional
        streams += stream(
          isByWho ? "\(name)x" : name, clause.kind, clause.filter, table.isIdentified,
          table.isExploded, table.lookup)
        // The rest is by nobody yet.
        if isByWho { streams += "  \(name):\n    from: \(name)x\n    where: has(ids.who)\n" }
      }
    }
    for port in ports {
      if port.hasStream {
        streams += stream(
          "\(port.name)s", port.kind, port.filter, port.isIdentified, port.isExploded,
          port.lookup)
        if port.isMasked { streams += "    mask: {note: mask}\n" }
      }
    }
    streams += changeStreams + joinStreams
    if !streams.isEmpty { text += "streams:\n" + streams }
    if !tables.isEmpty { text += "tables:\n" + tables.map(lines).joined() + followerTables }
    text += "outputs:\n" + tables.map(output).joined() + ports.map(output).joined()
    text += changeOutputs + joinOutputs
    return text
  }

  private func stream(
    _ name: String, _ kind: Kind, _ filter: Condition?, _ isIdentified: Bool, _ isExploded: Bool,
    _ lookup: Lookup?
  ) -> String {
    var text = "  \(name):\n    from: \(source(kind))\n"
    if isExploded { text += "    explode:\n      line: '\(lines)'\n" }
    if let lookup { text += "    lookup:\n      found: \(row(lookup))\n" }
    let conditions = [
      filter.map { self.text($0, isExploded) },
      lookup.flatMap { lookup in
        lookup.above.map { "\(column(lookup)).orValue(0) > \($0)" }
      },
    ].compactMap(\.self)
    if !conditions.isEmpty { text += "    where: \(conditions.joined(separator: " && "))\n" }
    if isIdentified {
      text +=
        "    identify:\n      who: {system: \(system), local: event.\(local(of: kind).rawValue), unmapped: "
        + "\(unmapped.rawValue)\(repairableS.map { ", repairable: \($0)s" } ?? "")}\n"
    }
    return text
  }

  /// The row that is looked up, as an expression.
  private func row(_ lookup: Lookup) -> String {
    let table = tables[lookup.table]
    let key = table.key.parts.map(keyPart).joined(separator: ", ")
    return table.key.parts.count == 1 ? "\(table.name)[\(key)]" : "\(table.name)[[\(key)]]"
  }

  /// What is asked of it.
  private func column(_ lookup: Lookup) -> String {
    "found.?\(tables[lookup.table].columns[lookup.column].name)"
  }

  private func keyPart(_ name: String) -> String {
    ["who": "ids.", "sku": "line."][name, default: "event."] + name
  }

  /// A field of an event, or of the line that it was made of.
  private func text(_ field: Field, _ isExploded: Bool) -> String {
    if field == .who { return unmapped == .provisional ? "ids.?who" : "ids.who" }
    return "\(Shape.root(field, isExploded)).\(field.rawValue)"
  }

  private func text(_ condition: Condition, _ isExploded: Bool) -> String {
    condition.text(Shape.root(condition.field, isExploded), condition.field.rawValue)
  }

  private static func root(_ field: Field, _ isExploded: Bool) -> String {
    isExploded && field == .n ? "line" : "event"
  }

  private func kind(_ window: Window) -> String {
    if window.isSession { return "session: \(window.size)s" }
    return window.every < window.size
      ? "hopping: {size: \(window.size)s, every: \(window.every)s}" : "tumbling: \(window.size)s"
  }

  private func lines(_ table: Table) -> String {
    let key = table.key.parts.map(keyPart).joined(separator: ", ")
    var text = "  \(table.name):\n    key: [\(key)]\n"
    if let window = table.window {
      text += "    window: {\(kind(window))"
      text += ", grace: \(window.grace)s\(window.isFinal ? ", emit: final" : "")}\n"
    }
    if let seconds = table.expireS { text += "    expire: {after: \(seconds)s}\n" }
    text += "    on:\n"
    for (place, clause) in table.clauses.enumerated() {
      let from = table.hasStream(clause) ? "\(table.name)s\(place)" : source(clause.kind)
      text += "      \(from): |\n"
      switch clause.deletion {
      case .event(let condition):
        text += "        delete if \(self.text(condition, table.isExploded))\n"
      case .count(let column, let above):
        text += "        delete if state.\(table.columns[column].name) > \(above)\n"
      case nil: break
      }
      for update in clause.updates {
        let column = table.columns[update.column]
        let conditions = [
          column.aggregate.needsN ? "has(\(self.text(.n, table.isExploded)))" : nil,
          update.condition.map { self.text($0, table.isExploded) },
        ].compactMap(\.self)
        text += "        \(column.name)\(column.isMap ? "[event.?note.orValue(\"\")]" : "")"
        text += " = \(value(column, table))"
        if !conditions.isEmpty { text += " if \(conditions.joined(separator: " && "))" }
        text += "\n"
      }
    }
    return text
  }

  private func value(_ column: Column, _ table: Table) -> String {
    let name = column.name
    let argument = column.field.map { text($0, table.isExploded) } ?? ""
    let n = text(.n, table.isExploded)
    switch column.aggregate {
    case .rolled: return "(state.?\(name).orValue(1) * 31 + \(n)) % 1009"
    case .before: return "state.?\(table.columns[column.other].name)"
    case .divided: return "(state.?\(name).orValue(0) + 100) / (\(n) - 5)"
    case .switched: return "has(\(n)) && \(n) > 6 ? event.?note : state.?\(name)"
    case .grown:
      let again = "state.?\(name).orValue(\"x\")"
      return Array(repeating: again, count: Shape.growth).joined(separator: " + ")
    case .quantile: return "quantile(\(argument), \(Double(column.percent) / 100))"
    default: return "\(column.aggregate.rawValue)(\(argument))"
    }
  }

  private func output(_ table: Table) -> String {
    var text = "  \(table.name):\n    from: \(table.name)\n"
    if let when = table.when {
      let column = table.columns[when.column]
      let condition = Condition(field: .n, above: when.above)
      let isCount = column.aggregate == .count
      text +=
        "    when: "
        + (isCount
          ? "row.\(column.name) > \(when.above)" : condition.text("row", column.name)) + "\n"
    }
    if table.isDerived || table.showsEnd {
      text += "    select: |\n      ...row\n"
      if table.isDerived { text += "      label = \"of \" + row.\(table.key.parts[0])\n" }
      if table.showsEnd { text += "      until = window.end\n" }
    }
    return text
  }

  private func output(_ port: EventPort) -> String {
    var text = "  \(port.name):\n"
    text += "    from: \(port.hasStream ? "\(port.name)s" : source(port.kind))\n"
    if let when = port.when { text += "    when: \(self.text(when, port.isExploded))\n" }
    return text + """
          key: event.account
          partitions: \(outputPartitions)
          select: |
            id = event.eventId
            account = event.account
            amount = event.amount
            n = \(self.text(.n, port.isExploded))
            note = event.note
      \(port.isExploded ? "      sku = line.sku\n" : "")\
      \(port.lookup.map { "      seen = \(column($0))\n" } ?? "")\
      \(port.isIdentified ? "      who = \(self.text(.who, false))\n" : "")
      """
  }
}

extension Shape.Aggregate {
  /// Whether its expression reads the field as one that is there.
  var needsN: Bool { self == .rolled || self == .divided }
}

extension Shape.Table {
  /// Whether a clause's events come through a stream of its own.
  fileprivate func hasStream(_ clause: Shape.Clause) -> Bool {
    clause.filter != nil || isIdentified || isExploded || lookup != nil
  }
}
