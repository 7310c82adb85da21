// swift-tools-version: 6.2
import PackageDescription

/// Exclusive access is checked while it runs in debug builds, which is what all tests are, also those
/// of real workers; in release builds the checks cost 3 % of a worker's time and are left out.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A sanitizer brings its own allocator: `WEFT_SANITIZE=thread swift test --sanitize=thread`. The
/// thread sanitizer does not know C11's threads, which librdkafka uses: CThreads maps them.
let sanitizer = Context.environment["WEFT_SANITIZE"]
let allocator: [Target.Dependency] = sanitizer == nil ? ["CMimalloc"] : []
let threads: [Target.Dependency] = sanitizer == "thread" ? ["CThreads"] : []

/// A room of the house: a Swift module that may import just what is named here.
func room(_ name: String, _ mayImport: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: mayImport, exclude: ["README.md"], swiftSettings: strict)
}
/// A C library of Debian behind one header; its Swift owner is the only room that imports it.
func face(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}
func tests(_ name: String, _ mayImport: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: mayImport, swiftSettings: strict)
}

// From the cellar to the street; a room imports only what stands above it in this list.
let package = Package(
  name: "weft",
  products: [.executable(name: "weft", targets: ["weft"])],
  targets: [
    face("CRdKafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
    face("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
    face("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    face("CRocksDB", pkgConfig: "rocksdb", apt: "librocksdb-dev"),
    face("CMimalloc", apt: "libmimalloc-dev"),
    .target(name: "CSIMD", exclude: ["README.md"]),
    room("Records"),
    room("Diagnostics"),
    room("Observability", ["Diagnostics", "Records"]),
    room("CommandLine", ["Diagnostics"]),
    room("Formats", ["Records", "CSIMD"]),
    room("Expressions", ["Formats", "Diagnostics", "Records", "CCrypto"]),
    room("Product", ["Expressions", "Diagnostics", "Records", "CYAML", "CCrypto"]),
    room("State", ["Records", "CRocksDB"]),
    room("Engine", ["Expressions", "State", "Formats", "Product", "Diagnostics", "Records"]),
    room("Kafka", ["CRdKafka", "Records"]),
    room("Mesh", ["Product", "Formats", "Kafka", "Expressions", "Diagnostics", "Records"]),
    room(
      "Worker",
      [
        "Engine", "State", "Mesh", "Kafka", "Formats", "Product", "Observability", "Diagnostics",
        "Records",
      ]),
    .executableTarget(
      name: "weft",
      dependencies: [
        "CommandLine", "Worker", "Mesh", "Kafka", "Engine", "State", "Product", "Expressions",
        "Formats", "Observability", "Diagnostics", "Records",
      ] + allocator + threads,
      exclude: ["README.md"], swiftSettings: strict),
    tests(
      "LanguageTests",
      [
        "CommandLine", "Product", "Expressions", "Formats", "Observability", "Diagnostics",
        "Records",
      ]),
    tests(
      "EngineTests",
      ["Engine", "State", "Product", "Expressions", "Formats", "Diagnostics", "Records"]),
    .target(name: "CThreads", path: "Tests/CThreads"),
    .target(
      name: "TestKit",
      dependencies: [
        "Worker", "Engine", "State", "Kafka", "Formats", "Product", "Observability",
        "Diagnostics", "Records",
      ], path: "Tests/TestKit", exclude: ["README.md"], swiftSettings: strict),
    .executableTarget(
      name: "simulate", dependencies: ["TestKit"], path: "Tests/Simulate",
      swiftSettings: strict,
      linkerSettings: sanitizer != nil ? [] : [.linkedLibrary("mimalloc")]),
    tests("SimulationTests", ["TestKit"]),
    tests(
      "KafkaTests",
      ["Worker", "Engine", "State", "Formats", "Kafka", "CRdKafka", "CThreads", "Records"]),
    tests(
      "CommandTests",
      ["Mesh", "Product", "Kafka", "Formats", "Expressions", "Diagnostics", "Records"]),
  ])
