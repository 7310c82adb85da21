import Diagnostics

/// product.odps.yaml, read: what a product is, takes in and promises.
package struct ProductDescriptor: Sendable {
  package struct Port: Sendable {
    package let name: String
    package let version: String
    package let major: Int
    package let contractId: String
    package let description: String?
    package let nameSpan: SourceSpan
    package let contractSpan: SourceSpan
  }

  package let id: String
  package let name: String
  package let version: String
  package let status: String
  package let domain: String
  package let purpose: String?
  /// User names of the team's members with the role `owner`.
  package let owners: [String]
  package let inputPorts: [Port]
  package let outputPorts: [Port]
  /// Names of output ports that are listed but wrong, which has been said.
  package let brokenPorts: Set<String>
  /// `id` or `domain` is wrong, and that has been said: nothing can be said of names made of them.
  package let lacksName: Bool
  /// The file's root, for what else is in it.
  package let record: FileRecord

  /// Nil when its ports are broken; the reader has said so. What else is broken is empty.
  static func read(_ record: FileRecord, into diagnostics: inout [Diagnostic])
    -> ProductDescriptor?
  {
    let id = record.text("id") ?? ""
    let domain = record.text("domain") ?? ""
    let members = record["team"]?.record?["members"]?.items.compactMap(\.record) ?? []
    let owners = members.filter { $0.text("role") == "owner" }.compactMap { $0.text("username") }
    let inputs = ports(record["inputPorts"], into: &diagnostics) { port in port.name }
    let outputs = ports(record["outputPorts"], into: &diagnostics) { port in
      "\(port.name)@\(port.major)"
    }
    if record.isBroken("inputPorts") || record.isBroken("outputPorts") { return nil }
    let names = Set((record["outputPorts"]?.items ?? []).compactMap { $0.record?.text("name") })
    return ProductDescriptor(
      id: id, name: record.text("name") ?? id, version: record.text("version") ?? "",
      status: record.text("status") ?? "", domain: domain,
      purpose: record["description"]?.record?.text("purpose"), owners: owners, inputPorts: inputs,
      outputPorts: outputs, brokenPorts: names.subtracting(outputs.map(\.name)),
      lacksName: id.isEmpty || domain.isEmpty, record: record)
  }

  private static func ports(
    _ value: FileValue?, into diagnostics: inout [Diagnostic], identity: (Port) -> String
  ) -> [Port] {
    var seen: [String: SourceSpan] = [:]
    return (value?.items ?? []).compactMap(\.record).compactMap { record -> Port? in
      guard let name = record.text("name"), let version = record.text("version"),
        let major = FieldReader.majorVersion(version), let contract = record.text("contractId")
      else { return nil }
      let port = Port(
        name: name, version: version, major: major, contractId: contract,
        description: record.text("description"), nameSpan: record.span("name"),
        contractSpan: record.span("contractId"))
      if let first = seen[identity(port)] {
        let line = first.source.place(of: first.range.lowerBound).line
        diagnostics.append(
          Diagnostic(
            .repeatedKey, "port `\(identity(port))` is listed twice", at: port.nameSpan,
            label: "listed before in line \(line)"))
        return nil
      }
      seen[identity(port)] = port.nameSpan
      return port
    }
  }
}
