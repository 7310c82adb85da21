import State

/// Planted faults that change files or disks.
extension Plant {
  /// The files by which the workers run, where the reference goes by the true ones.
  func changed(_ shape: Shape) -> Shape {
    var shape = shape
    func aggregates(_ old: Shape.Aggregate, _ new: Shape.Aggregate) {
      for table in shape.tables.indices {
        for column in shape.tables[table].columns.indices
        where shape.tables[table].columns[column].aggregate == old {
          shape.tables[table].columns[column].aggregate = new
        }
      }
    }
    switch self {
    case .maxForMin: aggregates(.min, .max)
    case .lastForFirst: aggregates(.first, .last)
    case .lastForLatest: aggregates(.latest, .last)
    case .sumCounts: aggregates(.sum, .max)
    case .conditionLost:
      for table in shape.tables.indices {
        for clause in shape.tables[table].clauses.indices {
          for update in shape.tables[table].clauses[clause].updates.indices {
            shape.tables[table].clauses[clause].updates[update].condition = nil
          }
        }
      }
    case .filterLost:
      for table in shape.tables.indices {
        for clause in shape.tables[table].clauses.indices {
          shape.tables[table].clauses[clause].filter = nil
        }
      }
      for port in shape.ports.indices {
        shape.ports[port].filter = nil
        shape.ports[port].when = nil
      }
    case .idsIgnored: shape.horizonS = nil
    case .horizonShort: if shape.horizonS != nil { shape.horizonS = 1 }
    default: break
    }
    return shape
  }
}

extension Simulation {
  /// What a planted disk does to a step. A key begins with its kind: 0 moment, 1 row, 2 queue.
  func damage(_ step: inout MemoryDisk.Step) {
    if plants.contains(.rowsLost) { step.removeAll { $0.key[0] == 1 } }
    if plants.contains(.stampLost), nowMs > 300 { step.removeAll { $0.key[0] == 0 } }
    if plants.contains(.idsLost) {
      step.removeAll { $0.key[0] == 2 }
    }
    if plants.contains(.halfStep) { step.removeLast(step.count / 2) }
    if plants.contains(.oldRows), nowMs > 300 {
      step.removeAll { $0.key[0] == 1 && $0.key[1] != 255 && random.percent(50) }
    }
  }
}
