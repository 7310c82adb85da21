import Worker

/// A fault that is planted by hand, to show that the simulation finds such.
package enum Plant: String, CaseIterable, Sendable {
  // The turn.
  case offsetRule, gatheredGeneration, fencing
  case unstableOffsets, abortedRead, uncommittedRead, offsetsLost, abortedOffsetsKept
  case tornCommit, recordsLost, recordsTwice, offsetGuessed, generationUnchecked
  // The state on disk.
  case rowsLost, stampLost, halfStep, idsLost, oldRows
  // What is read.
  case inputSkipped, inputReordered, blockSkipped
  // Tables, redelivery, quarantine: as if the engine did something else than the files say.
  case maxForMin, lastForFirst, lastForLatest, conditionLost, sumCounts, idsIgnored
  case horizonShort, filterLost, quarantineLost, wrongPartition, headersLost, timesLost

  /// Rules of the loop that it switches off.
  var rules: Set<UnsafeSettings.Rule> {
    switch self {
    case .offsetRule: [.offsetRule]
    case .gatheredGeneration: [.gatheredGeneration]
    case .fencing: [.fencing]
    default: []
    }
  }

  /// Within so many seeds it has to be found.
  package var seedsMax: UInt64 {
    switch self {
    case .gatheredGeneration, .abortedOffsetsKept: 500
    case .fencing, .unstableOffsets, .generationUnchecked, .offsetGuessed: 200
    default: 40
    }
  }

  /// How often in a hundred it strikes where it can.
  var chance: Int {
    switch self {
    case .recordsLost, .recordsTwice, .inputSkipped, .inputReordered, .wrongPartition: 3
    case .offsetsLost, .tornCommit, .blockSkipped, .quarantineLost: 20
    default: 100
    }
  }
}

extension Simulation {
  /// Whether a planted fault strikes now.
  func isHit(_ plant: Plant) -> Bool {
    plants.contains(plant) && (plant.chance == 100 || random.percent(plant.chance))
  }
}
