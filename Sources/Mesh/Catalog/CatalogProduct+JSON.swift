import Expressions
import Formats
import Product

/// The catalog's records as JSON: a stable form, since other tools and later versions read it.
/// Unknown members are ignored when read; a member that is missing makes the record unreadable.
extension CatalogProduct {
  package static let kind = "DataProduct"

  package var json: JSONValue {
    .members([
      "kind": .string(CatalogProduct.kind), "format": .integer(1), "mesh": .string(mesh),
      "domain": .string(domain), "product": .string(name), "version": .string(version),
      "logicDigest": .string(logicDigest), "group": .string(group),
      "quarantine": .string(quarantineTopic), "observations": .string(observationsTopic),
      "inputs": .array(inputs.map(\.json)),
      "journals": .array(journals.map(\.json)), "ports": .array(ports.map(\.json)),
      "files": .array(files.map(\.json)),
    ])
  }

  package init?(_ json: JSONValue) {
    guard json["kind"]?.string == CatalogProduct.kind, let mesh = json["mesh"]?.string,
      let domain = json["domain"]?.string, let name = json["product"]?.string,
      let version = json["version"]?.string, let digest = json["logicDigest"]?.string,
      let group = json["group"]?.string, let quarantine = json["quarantine"]?.string,
      let observations = json["observations"]?.string,
      let inputs = json["inputs"].all(Topic.init), let journals = json["journals"].all(Topic.init),
      let ports = json["ports"].all(PublishedPort.init),
      let files = json["files"].all(LogicFile.init)
    else { return nil }
    self.mesh = mesh
    self.domain = domain
    self.name = name
    self.version = version
    logicDigest = digest
    self.group = group
    quarantineTopic = quarantine
    observationsTopic = observations
    self.inputs = inputs
    self.journals = journals
    self.ports = ports
    self.files = files
  }
}

extension CatalogProduct.Topic {
  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("topic", .string(topic)),
    ]
    if let port { members.append(.init("port", .string(port))) }
    return .object(members)
  }
  fileprivate init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let topic = json["topic"]?.string else { return nil }
    self.init(name: name, topic: topic, port: json["port"]?.string)
  }
}

extension LogicFile {
  var json: JSONValue { .members(["path": .string(path), "content": .string(content)]) }
  init?(_ json: JSONValue) {
    guard let path = json["path"]?.string, let content = json["content"]?.string else {
      return nil
    }
    self.init(path: path, content: content)
  }
}

extension PublishedPort {
  package var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("major", .integer(major)),
      .init("topic", .string(topic)), .init("version", .string(version)),
      .init("kind", .string(isState ? "state" : "event")),
    ]
    if let journal { members.append(.init("journal", .string(journal))) }
    if corrects { members.append(.init("corrections", .bool(true))) }
    members += [
      .init("partitions", .integer(Int64(partitions))),
      .init("key", .array(key.map { .string($0) })),
      .init("fields", .array(fields.map(\.json))),
    ]
    return .object(members)
  }

  package init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let major = json["major"]?.int64,
      let topic = json["topic"]?.string, let kind = json["kind"]?.string,
      let partitions = json["partitions"]?.int64.flatMap(Int32.init(exactly:)),
      let version = json["version"]?.string, let key = json["key"].all(\.string),
      let fields = json["fields"].all(ContractField.init)
    else { return nil }
    self.init(
      name: name, major: Int(major), version: version, topic: topic, isState: kind == "state",
      journal: json["journal"]?.string, partitions: partitions, key: key, fields: fields,
      corrects: json["corrections"]?.bool ?? false)
  }
}

extension JSONValue? {
  /// Every element read; nil when this is no array or one cannot be read.
  func all<Element>(_ read: (JSONValue) -> Element?) -> [Element]? {
    guard let values = self?.array else { return nil }
    let elements = values.compactMap(read)
    return elements.count == values.count ? elements : nil
  }
}
