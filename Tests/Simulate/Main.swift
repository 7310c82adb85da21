import Foundation
import TestKit

/// `simulate [--seeds N] [--seed S] [--plant NAME] [--trace]`: runs seeds from S on, tells how it
/// gets on, and of the first that goes wrong the seed, what was wrong, and the case made small.
@main struct Main {
  static func main() {
    var arguments = CommandLine.arguments.dropFirst()
    var seeds: Int?
    var first: UInt64?
    var plants: Set<Plant> = []
    var traces = false
    func usage() -> Never {
      say("usage: simulate [--seeds N] [--seed S] [--plant NAME] [--trace]")
      say("plants: \(Plant.allCases.map(\.rawValue).joined(separator: " "))")
      exit(2)
    }
    while let argument = arguments.popFirst() {
      if argument == "--trace" {
        traces = true
        continue
      }
      guard let value = arguments.popFirst() else { usage() }
      switch argument {
      case "--seeds": if let number = Int(value) { seeds = number } else { usage() }
      case "--seed":
        if let number = UInt64(value) { first = number } else { usage() }
      case "--plant":
        if let plant = Plant(rawValue: value) { plants.insert(plant) } else { usage() }
      default: usage()
      }
    }
    exit(run(first ?? 0, seeds ?? (first == nil ? 1000 : 1), plants, traces: traces))
  }

  private static func run(
    _ first: UInt64, _ seeds: Int, _ plants: Set<Plant>, traces: Bool
  ) -> Int32 {
    let began = ContinuousClock.now
    var calls = 0
    for number in 0..<seeds {
      let seed = first + UInt64(number)
      let given = Case(seed: seed)
      if plants.contains(where: { !$0.matters(in: given) }) { continue }
      let outcome = failures(given, plants, traces: traces)
      calls += outcome.calls
      if traces { outcome.trace.forEach(say) }
      if !outcome.failures.isEmpty {
        say("seed \(seed) goes wrong after \(number) that did not:")
        outcome.failures.forEach(say)
        let small = given.shrunk { smaller in
          guard let run = try? Run(smaller, plants: plants) else { return false }
          run.run()
          return !run.failures.isEmpty
        }
        say("made small:\n\(small)")
        failures(small, plants, traces: false).failures.forEach(say)
        return 1
      }
      if outcome.calls > 20_000 { say("seed \(seed) took \(outcome.calls) calls") }
      if (number + 1) % 100 == 0 {
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        say("\(number + 1) seeds, \(calls) calls, \(Int(Double(number + 1) / seconds)) seeds/s")
      }
    }
    say("\(seeds) seeds from \(first): nothing went wrong")
    return 0
  }

  private static func failures(_ given: Case, _ plants: Set<Plant>, traces: Bool) -> (
    failures: [String], calls: Int, trace: [String]
  ) {
    do {
      let run = try Run(given, plants: plants, traces: traces)
      run.run()
      return (run.failures, run.calls, run.trace)
    } catch {
      return (["\(error)"], 0, [])
    }
  }

  private static func say(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
