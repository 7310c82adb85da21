import Diagnostics

extension DomainLoader {
  /// The output ports of a product of this domain, for products that take from them. How it is
  /// made is none of their business: what is wrong in its files is told where the product itself is
  /// read, and a port whose contract is broken is not there.
  mutating func ports(ofProduct name: String) -> [ForeignPort] {
    for folder in productFolders {
      var product = LoadedProduct(directory: folder)
      guard let descriptor = readDescriptor(folder, &product), descriptor.id == name,
        !descriptor.lacksName
      else { continue }
      let contracts = readContracts(folder, &product)
      guard let transform = readTransform(folder, &product) else { return [] }
      return descriptor.outputPorts.compactMap { port in
        published(port, of: descriptor, contracts, transform).map {
          ForeignPort(domain: descriptor.domain, product: descriptor.id, port: $0)
        }
      }
    }
    return []
  }

  private func published(
    _ port: ProductDescriptor.Port, of descriptor: ProductDescriptor,
    _ contracts: ProductContracts, _ transform: FileRecord
  ) -> PublishedPort? {
    guard let contract = contracts.contract(id: port.contractId, major: port.major),
      let object = contract.objects.first, contract.objects.count == 1,
      let output = transform["outputs"]?.entries.first(where: { entry in
        entry.key.text == "\(port.name)@\(port.major)"
          || port.major == 1 && entry.key.text == port.name
      })?.value.record
    else { return nil }
    let tables = (transform.node["tables"]?.entries ?? []).compactMap(\.key.text)
    let isState = output["from"]?.items.contains { $0.text.map(tables.contains) ?? false } ?? false
    let key =
      isState
      ? ContractField.primaryKey(object.fields).map(\.name)
      : (output["key"]?.items ?? []).compactMap { $0.node.textSpan.map { CanonicalText.of($0) } }
    let partitions =
      output["partitions"]?.integer ?? transform["journal"]?.record?["partitions"]?.integer
      ?? Int(TransformReader.partitionsDefault)
    let prefix = prefix.isEmpty ? "" : prefix + "."
    return PublishedPort(
      name: port.name, major: port.major, version: contract.version,
      topic: "\(prefix)\(descriptor.domain).\(descriptor.id).\(port.name).v\(port.major)",
      isState: isState, journal: nil, partitions: Int32(clamping: partitions), key: key,
      fields: object.fields, corrects: object.corrects)
  }
}
