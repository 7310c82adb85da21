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
}
