import Formats

/// The files of a new product, made from a sample: they check, test and run as they are.
struct ProductScaffold {
  /// A state port of more columns than this would say less.
  static let columnsMax = 12

  let name: String
  let domain: String
  let topic: String
  let guess: Guess

  private var input: String { kebab(name) + "-events" }

  /// A port with its contract.
  private struct Port {
    var name: String
    var what: String
    var fields: [Shape.Field]
    var keys: [String] = []
    /// Fields of the sample that it does not have, each with the reason.
    var leftOut: [String] = []
  }

  /// Path within the product's directory, and content.
  var files: [(path: String, content: String)] {
    let ports = eventPorts + (statePort.map { [$0.port] } ?? [])
    return [
      ("product.odps.yaml", descriptor(ports)), ("transform.yaml", transform),
      ("contracts/\(input).odcs.yaml", inputContract), ("tests/\(kebab(name)).yaml", tests),
    ] + ports.map { ("contracts/\($0.name).odcs.yaml", contract($0)) }
  }

  /// A line for each port that does not have all of the sample's fields.
  var leftOut: [String] {
    ((statePort.map { [$0.port] } ?? []) + eventPorts).filter { !$0.leftOut.isEmpty }
      .map { "`\($0.name)` is without \($0.leftOut.joined(separator: ", "))" }
  }

  /// `orders#order@1`: what to read first.
  var firstPort: String { "\(name)#\(statePort?.port.name ?? eventPorts[0].name)@1" }
}

/// What the product publishes.
extension ProductScaffold {
  /// An event port for each type, with all fields that can be promised, nested ones as they are.
  private var eventPorts: [Port] {
    guess.types.map { type in
      let all = type.fields.filter { $0.name != guess.discriminator }
      return Port(
        name: guess.types.count == 1 ? "events" : kebab(type.name),
        what: "Each \(type.name) event.", fields: all.filter { obstacle($0) == nil },
        leftOut: all.compactMap { field in
          obstacle(field).map { "`\(field.name)` (\($0))" }
        })
    }
  }

  /// Why no port can have a field as the sample shows it; nil when one can.
  private func obstacle(_ field: Shape.Field) -> String? {
    if !isName(field.name) { return "its name needs quotes" }
    if field.shape.isKnown { return nil }
    return field.shape.holdsMixed ? "values of several kinds" : "null or empty in the sample"
  }

  /// What is known of each key: a row, and the updates each type makes to it.
  private var statePort: (port: Port, clauses: [(type: Guess.EventType, lines: [String])])? {
    guard let key = guess.key, let keyField = guess.shared.first(where: { $0.name == key }) else {
      return nil
    }
    let base = key.hasSuffix("Id") ? String(key.dropLast(2)) : key
    let name = kebab(base).isEmpty || kebab(base) == "id" ? kebab(self.name) : kebab(base)
    var fields = [keyField, Shape.Field(name: "events", shape: .integer, isRequired: true)]
    if guess.time != nil {
      fields.append(Shape.Field(name: "lastEventAt", shape: .timestamp, isRequired: false))
    }
    let (columns, leftOut) = columns(besides: Set(fields.map(\.name)))
    // Events of one key may come in any order: what happened last counts, where that is known.
    let newest = guess.time == nil ? "last" : "latest"
    let clauses = guess.types.map { type in
      var lines = ["events = count()"]
      if let time = guess.time { lines.append("lastEventAt = max(event.\(time))") }
      lines += columns.filter { type.field($0.name) != nil }
        .map { "\($0.name) = \(newest)(event.\($0.name))" }
      return (type, lines)
    }
    fields += columns
    let port = Port(
      name: name, what: "What is known of each \(key).", fields: fields, keys: [key],
      leftOut: leftOut)
    return (port, clauses)
  }

  /// Fields that mean the same in every type that has them, and those that no column is made of.
  private func columns(besides taken: Set<String>) -> (columns: [Shape.Field], leftOut: [String]) {
    let spoken = [guess.key, guess.id, guess.time, guess.discriminator]
    var columns: [Shape.Field] = []
    var leftOut: [String] = []
    var seen: Set<String> = []
    for field in guess.types.flatMap(\.fields)
    where !spoken.contains(field.name) && seen.insert(field.name).inserted {
      let isSame = guess.types.allSatisfy {
        $0.field(field.name).map { $0.shape == field.shape } ?? true
      }
      let why =
        obstacle(field) ?? (isSame ? nil : "not the same in every type")
        ?? (taken.contains(field.name) ? "the table has a column of that name" : nil)
        ?? (columns.count < ProductScaffold.columnsMax
          ? nil : "more than \(ProductScaffold.columnsMax) columns")
      if let why {
        leftOut.append("`\(field.name)` (\(why))")
      } else {
        columns.append(Shape.Field(name: field.name, shape: field.shape, isRequired: false))
      }
    }
    return (columns, leftOut)
  }
}

/// The files' texts.
extension ProductScaffold {
  private func descriptor(_ ports: [Port]) -> String {
    let outputs = ports.map {
      "  - {name: \($0.name), version: \"1.0.0\", contractId: \(domain)/\($0.name), "
        + "description: \"\($0.what)\", type: kafka}\n"
    }
    return """
      # What the product is, in the Open Data Product Standard: for all who look for data.
      apiVersion: v1.0.0
      kind: DataProduct
      id: \(name)
      name: \(pascal(name))
      version: "1.0.0"
      status: draft
      domain: \(domain)
      description:
        purpose: "Say what it is for."
        usage: "Say how it is read and what it can be joined with."
        limitations: "Say what it does not hold."
      team:
        name: \(pascal(domain))
        members:
          - {username: owner@example.org, role: owner}
      inputPorts:
        - {name: \(input), version: "1.0.0", contractId: \(domain)/\(input)}
      outputPorts:

      """ + outputs.joined()
  }

  private func contractHead(_ id: String, _ what: String) -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    id: \(domain)/\(id)
    name: \(pascal(id))
    version: "1.0.0"
    status: draft
    domain: \(domain)
    description:
      purpose: "\(what)"
    servers:
      - {server: mesh, type: kafka, host: "${KAFKA_BOOTSTRAP}", format: json}
    schema:

    """
  }

  private func schema(_ name: String, _ topic: String) -> String {
    "  - name: \(name)\n    physicalName: \(topic)\n    physicalType: topic\n    properties:\n"
  }

  /// Every event in the sample keeps it; correct what the sample could not show.
  private var inputContract: String {
    contractHead(input, "What is taken in; guessed from a sample, so look it over.")
      + guess.types.map { type in
        schema(type.name, topic) + YAMLText.properties(type.fields, indent: 6)
      }.joined()
  }

  private func contract(_ port: Port) -> String {
    contractHead(port.name, port.what) + schema(pascal(port.name), wireTopic(port.name))
      + YAMLText.properties(port.fields, keys: port.keys, indent: 6)
  }

  private func wireTopic(_ port: String) -> String { "\(domain).\(name).\(port).v1" }

  private var transform: String {
    var text = """
      # How the product is made; private to the domain.
      kind: Transform
      product: \(name)

      inputs:
        \(input):
          topic: \(topic)
          format: json
          contract: contracts/\(input).odcs.yaml

      """
    if let discriminator = guess.discriminator {
      text += "    discriminator: \(discriminator)        # one schema of the contract a type\n"
    }
    if let id = guess.id {
      text += "    id: {field: \(id), horizon: 7d}   # a redelivered id has no second effect\n"
    }
    if let time = guess.time {
      text += "    time: \(time)                # when it happened\n"
    }
    text += "    start: earliest\n\njournal:\n  partitions: 6\n  retention: forever\n"
    if let state = statePort, let key = guess.key {
      text += "\ntables:\n" + comment(state.port, indent: 2)
      text += "  \(state.port.name):\n    key: event.\(key)\n    on:\n"
      for clause in state.clauses {
        text += "      \(reference(clause.type)): |\n"
        text += clause.lines.map { "        \($0)\n" }.joined()
      }
    }
    text += "\noutputs:\n"
    if let state = statePort {
      text += "  \(state.port.name):          # state port: one row a key\n"
      text += "    from: \(state.port.name)\n"
    }
    for (type, port) in zip(guess.types, eventPorts) {
      text += comment(port, indent: 2)
      text += "  \(port.name):                # event port\n    from: \(reference(type))\n"
      if let key = guess.key { text += "    key: event.\(key)\n" }
      text += "    select: |\n"
      text += port.fields.map { "      \($0.name) = event.\($0.name)\n" }.joined()
    }
    return text
  }

  /// What somebody who looks for a field would wonder about, a field a line.
  private func comment(_ port: Port, indent: Int) -> String {
    if port.leftOut.isEmpty { return "" }
    let margin = String(repeating: " ", count: indent) + "# "
    return margin + "left out; add what is needed:\n"
      + port.leftOut.map { "\(margin)  \($0)\n" }.joined()
  }

  private func reference(_ type: Guess.EventType) -> String {
    guess.discriminator == nil ? input : "\(input).\(type.name)"
  }
}

/// Examples from the sample itself.
extension ProductScaffold {
  static let exampleEventsMax = 4

  private var tests: String {
    // A few events of one key, so that a row is seen to grow.
    let key = guess.key
    let first = guess.events.first { $0.key != nil || key.flatMap($0.text) != nil }
    var ids: Set<String> = []
    let chosen = guess.events.filter { event in
      guard let key else { return true }
      return event.text(key) == first?.text(key)
    }.filter { event in
      guard let id = guess.id.flatMap(event.text) else { return true }
      return ids.insert(id).inserted
    }.prefix(ProductScaffold.exampleEventsMax)
    let lines = chosen.map { "    - \(input): \(YAMLText.flow($0.value))\n" }
    var text = "- name: the first events of the sample are applied\n  given:\n" + lines.joined()
    text += "  expect:\n" + expectation(Array(chosen)) + "    quarantine: []\n"
    if guess.id != nil, let again = lines.first {
      text += "\n- name: an event that is delivered again counts once, through a crash\n  given:\n"
      text += again + "    - crash\n" + again + "  expect:\n"
      text += expectation(Array(chosen.prefix(1))) + "    quarantine: []\n"
    }
    text += "\n- name: what is no JSON goes to quarantine\n  given:\n"
    text += "    - \(input): {raw: \"{\", key: k}\n  expect:\n    quarantine: [{}]\n"
    return text
  }

  private func expectation(_ events: [Sample.Event]) -> String {
    var text = ""
    if let state = statePort?.port, let key = guess.key, let row = events.first?.text(key) {
      text += "    \(state.name): {\(YAMLText.quoted(row)): {events: \(events.count)}}\n"
    }
    for (type, port) in zip(guess.types, eventPorts) {
      let own = events.filter { event in
        guess.discriminator.map { event.text($0) == type.name } ?? true
      }
      let rows = own.map { event in
        let shown = port.fields.first { $0.name == guess.id } ?? port.fields.first
        guard let shown, let value = event.value[shown.name] else { return "{}" }
        return "{\(YAMLText.scalar(shown.name)): \(YAMLText.flow(value))}"
      }
      text += "    \(port.name): [\(rows.joined(separator: ", "))]\n"
    }
    return text
  }
}
