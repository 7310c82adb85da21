import Diagnostics
import Engine
import Formats
import Product
import Records

/// One test of tests/*.yaml, run on the engine without a broker.
struct TestRun {
  /// The recorded time at which a test begins, so that it means the same on any day: far enough
  /// ahead that no actual time lies in its future.
  static let beginMs: Int64 = 4_102_444_800_000

  /// How the events come in; what is published must not depend on it.
  enum Mode: CaseIterable {
    /// Many records a turn, blocks applied in the turn that wrote them.
    case atOnce
    /// One record a turn, blocks read back in a later one.
    case readBack
  }

  let test: ProductTest
  let product: ProductDefinition

  /// What was not as expected; empty when the test passed.
  func problems() -> [Diagnostic] {
    for mode in Mode.allCases {
      do throws(PlanFailure) {
        let problems = problems(try outcome(mode))
        if !problems.isEmpty { return problems }
      } catch {
        return [Diagnostic(.testFailed, "the product cannot be compiled: \(error)", at: test.span)]
      }
    }
    return []
  }

  private func outcome(_ mode: Mode) throws(PlanFailure) -> ProductSimulation {
    let simulation = try ProductSimulation(product, recordedMs: TestRun.beginMs)
    simulation.readsBack = mode == .readBack
    if mode == .readBack { simulation.recordsPerTurn = 1 }
    var waiting = 0
    for step in test.steps {
      switch step {
      case .record(let given):
        waiting += 1
        simulation.feed(input(given))
      case .crash:
        // It dies in the middle of its turn, and once more after the turn was done again.
        simulation.loseTurn(of: waiting)
        simulation.crash()
        simulation.run()
        simulation.crash()
        waiting = 0
      case .rebalance:
        simulation.run()
        simulation.crash()
        waiting = 0
      case .advance(let milliseconds):
        simulation.run()
        simulation.recordedMs += milliseconds
        // The time goes by while nothing comes.
        simulation.run()
        waiting = 0
      }
    }
    simulation.run()
    return simulation
  }

  private func input(_ given: ProductTest.Given) -> ProductSimulation.Input {
    var input = ProductSimulation.Input(
      input: given.input, key: given.key, value: given.value, timestampMs: TestRun.beginMs,
      time: given.headers.time)
    input.id = given.headers.id.map { Array($0.utf8) }
    input.operation = given.headers.operation.map { Array($0.utf8) }
    input.corrects = given.headers.corrects.map { Array($0.utf8) }
    return input
  }

  private func problems(_ outcome: ProductSimulation) -> [Diagnostic] {
    var comparison = Comparison(product: product)
    if let stop = outcome.stop {
      comparison.problems.append(
        Diagnostic(
          .testFailed, "the product stopped: \(stop.message)", at: test.span,
          notes: stop.place.isEmpty ? [] : ["at \(stop.place)"]))
    }
    for expectation in test.expectations {
      let records = outcome.published.filter { $0.port == expectation.output }
      switch expectation.content {
      case .records(let expected):
        comparison.compare(
          expected, records, of: expectation.output, at: expectation.span)
      case .rows(let rows):
        for row in rows {
          comparison.compare(row, records, port: comparison.name(expectation.output))
        }
      }
    }
    let quarantined = outcome.published.filter { $0.port == Int(OutputBatch.quarantine) }
    if let expected = test.quarantine {
      comparison.compareQuarantine(expected, quarantined, at: test.span)
    } else {
      comparison.noteQuarantine(quarantined)
    }
    if let held = test.held, held != outcome.heldCount {
      comparison.problems.append(
        Diagnostic(
          .testFailed, "\(outcome.heldCount) events are held, \(held) expected", at: test.span))
    }
    return comparison.problems
  }
}
