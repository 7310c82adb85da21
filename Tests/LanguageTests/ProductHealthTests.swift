import Diagnostics
import Expressions
import Product
import Testing

@Suite struct ProductHealthTests {
  @Test(arguments: ["registration", "claims", "visits", "labs"])
  func `each domain of the example mesh is right`(domain: String) throws {
    let loaded = LoadedDomain.load(ProductFiles.health + "/" + domain, environment: "")
    #expect(told(loaded.diagnostics) == [])
    let definition = try #require(loaded.definition)
    #expect(definition.name == domain)
    #expect(definition.products.map(\.name) == [domain])
    #expect(definition.products.first?.mesh == "health")
    #expect(loaded.notActedOn.contains { $0.message.contains("`snapshot`") })
  }

  @Test func `a contract that several products share may stand elsewhere`() throws {
    var files: [String: String] = [:]
    for (path, text) in ProductFiles.shop { files["shop/" + path] = text }
    files["shared/orders.odcs.yaml"] = files.removeValue(forKey: "shop/contracts/orders.odcs.yaml")
    files["shop/transform.yaml"] = files["shop/transform.yaml"]?.replacing(
      "contracts/orders", with: "../shared/orders")
    let made = try ProductFiles(files)
    let loaded = LoadedDomain.load(made.directory + "/shop")
    #expect(told(loaded.diagnostics) == [])
    #expect(loaded.products.first?.contracts.map(\.id).contains("shop/orders") == true)
  }

  /// What else in this repository is a mesh: the benchmark's and the fault suite's.
  @Test(arguments: ["Scripts/benchmark/mesh", "Scripts/suite/mesh"])
  func `the meshes of the scripts are right`(path: String) {
    let domains = findDomains(in: ProductFiles.repository + "/" + path)
    #expect(!domains.isEmpty)
    for domain in domains {
      let (definition, problems) = loadDomain(at: domain)
      #expect(definition != nil, "\(told(problems))")
    }
  }
}
