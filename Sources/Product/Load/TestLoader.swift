import Diagnostics

extension LoadedProduct {
  /// The examples in the product's tests/*.yaml, by file name, and what is wrong with them. None
  /// when the product itself is not whole.
  package func loadTests() -> (tests: [ProductTest], diagnostics: [Diagnostic]) {
    guard let definition else { return ([], []) }
    let folder = FileTree.join(directory, "tests")
    var tests: [ProductTest] = []
    var diagnostics: [Diagnostic] = []
    for name in FileTree.names(in: folder) where name.hasSuffix(".yaml") {
      let path = FileTree.join(folder, name)
      guard let bytes = FileTree.read(path) else {
        diagnostics.append(Diagnostic(.unreadableFile, "`\(path)` cannot be read"))
        continue
      }
      let source = SourceText(name: path, bytes: bytes)
      guard let root = YAMLReader.read(source, into: &diagnostics) else { continue }
      var reader = TestReader(definition)
      tests += reader.read(root)
      diagnostics += reader.diagnostics
    }
    return (tests, diagnostics.inReadingOrder())
  }
}
