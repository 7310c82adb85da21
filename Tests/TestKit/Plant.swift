import Worker

/// A fault that is planted by hand, to show that the simulation finds such.
package enum Plant: String, CaseIterable, Sendable {
  // The turn.
  case offsetRule, gatheredGeneration, fencing
  case unstableOffsets, abortedRead, uncommittedRead, offsetsLost, abortedOffsetsKept
  case tornCommit, recordsLost, recordsTwice, offsetGuessed, generationUnchecked
  case epochKept, abortedEpochKept
  // The state on disk.
  case rowsLost, stampLost, halfStep, idsLost, oldRows, lastStepLost
  // What is read.
  case inputSkipped, inputReordered, blockSkipped, skippedTooFar
  // That input is taken while what came before waits; that a journal is not read on.
  case inputsUnheld, readerLeftHeld
  // Tables, redelivery, quarantine: as if the engine did something else than the files say.
  case maxForMin, lastForFirst, lastForLatest, conditionLost, sumCounts, idsIgnored
  case horizonShort, filterLost, quarantineLost, wrongPartition, headersLost, timesLost
  case averageLost, distinctCounted, setCollected, collectionSorted, quantileMedian, mapKeyLost
  case foldLost, deletionLost, keyPartLost, entriesUnlimited, wideAmounts, largeRowsLost
  case selectLost
  // Links: those who wait are refused, links of others are taken, the older of two wins.
  case heldRefused, otherSystem, linkTimesLost
  // Events made of lists: some elements are left out, all come twice, their ids are the same.
  case linesLost, linesTwice, explodedIdsAlike
  // Lines of mixed type: their numbers, or their texts, are read as something else.
  case mixedNumbersLost, mixedTextsAlike
  // A mask that lets everything through.
  case maskLost
  // Corrections: without effect, taken for events, lost where they are early, done twice; values
  // and records forgotten that may be taken back; what is corrected not said.
  case retractionsLost, retractionsAsserted, earlyLost, retractedTwice, valuesUnkept, fatesLost
  case correctedUnnamed
  // What goes on to chained journals: applied where others may have written before, written again
  // when it is applied again, gone with the process before, as another's, out of order, elsewhere,
  // twice, as of another time.
  case chainedOffset, handedAgain, handedLost, handedAsOther, handedReordered
  case handedElsewhere, handedTwice, handedLate
  // The clock, and what goes by it: as if the engine did otherwise, or journals were not told.
  case clockMaximum, endsStay, recordedStands, ticksAtOne, endsUntold
  case expiryLost, expirySoon, graceLost, lateTaken, windowsWide, hopsLost
  // Windows that are shown once: all along, others so as well, none that says little.
  case finalAsChanges, changesAsFinal, closedUnseen
  // Sessions: with a longer or a shorter gap, as windows of its length, forgotten at a restart.
  case gapLong, gapShort, sessionsRegular, sessionsForgotten
  // Windows whose values are taken back: these stay, or are taken back however late.
  case windowsUncorrected, lateRetractions
  // Rows that are looked up: of another column, or whatever they have is let through.
  case lookupOfOther, lookupUnasked
  // Changes of rows: only those of new rows come, those of rows that went do not, old is new.
  case changesLost, deletionsUnfollowed, oldForNew
  // Pairs: of events too far apart, not of those that are not at once, twice; late ones are taken.
  case pairsFarApart, pairsAtOnce, pairsTwice, lateJoined
  // Rows that are deleted at a state port: they stay, their tombstones are empty, others go.
  case deletionsIgnored, emptyForNull, otherRowDeleted
  // Links that come late or change: what went out before is held, not repaired, repaired beyond its
  // time, said anew and not taken back, at ports or where it was handed on; of what an event has
  // made of its lines always the first is taken back.
  case provisionalHeld, repairsLost, repairsBeyond, retractionsUnsent, handedKept, correctedAlike
  // A journal that is made anew, a disk that is damaged where it is read, a reader that is deaf.
  case incarnationsAlike, damageUnseen, endsUnknown
  // Releases: of all of an event where only a part of it had failed, to one of two journals,
  // instead of a discard; settled places are forgotten, control records or their results are lost.
  case extentLost, releasedInOne, discardReleases, settledForgotten, controlsSkipped
  case settlementsLost
  // Events of a blocked key: they do not wait, come in another order or not at all, or a discard
  // does not have them go on.
  case holdKeyLost, waitingReordered, waitingLost, discardOfAnother
  // At the end: a state, or a journal, of which nothing is left that would tell.
  case aheadUnseen, forgottenUnseen

  /// Rules of the loop that it switches off.
  var rules: Set<UnsafeSettings.Rule> {
    switch self {
    case .offsetRule: [.offsetRule]
    case .gatheredGeneration: [.gatheredGeneration]
    case .fencing: [.fencing]
    case .epochKept: [.epochAfterLoss]
    case .abortedEpochKept: [.epochAfterAbort]
    case .chainedOffset: [.chainedOffset]
    case .handedAgain: [.silentHandovers]
    default: []
    }
  }

  /// Of the clock as the reference has it.
  var clockFault: ReferenceClock.Fault? {
    switch self {
    case .clockMaximum: .maximum
    case .endsStay: .endsStay
    case .recordedStands: .recordedStands
    default: nil
    }
  }

  /// Among these seeds it has to be found; those that do not matter to it are passed over.
  package var seeds: Range<UInt64> {
    switch self {
    // Needs a state of before that is opened again late.
    case .incarnationsAlike: 4400..<6000
    case .clockMaximum: 250..<700
    case .lateTaken: 200..<900
    case .closedUnseen, .hopsLost: 200..<500
    case .windowsUncorrected, .lateRetractions: 0..<900
    case .lookupOfOther: 250..<500
    case .lookupUnasked: 1100..<1200
    case .gatheredGeneration, .abortedOffsetsKept: 0..<500
    case .abortedEpochKept: 900..<1500
    case .chainedOffset: 2200..<2600
    case .handedAgain, .handedLost: 0..<1000
    case .repairsBeyond: 600..<1000
    case .inputsUnheld: 0..<6000
    case .deletionsIgnored, .emptyForNull, .otherRowDeleted: 0..<1600
    default: 0..<200
    }
  }

  /// How often in a hundred it strikes where it can.
  var chance: Int {
    switch self {
    case .recordsLost, .recordsTwice, .inputSkipped, .inputReordered, .wrongPartition: 3
    case .handedTwice, .handedAsOther, .handedLate, .handedElsewhere: 5
    case .offsetsLost, .tornCommit, .blockSkipped, .quarantineLost, .controlsSkipped,
      .settlementsLost:
      20
    default: 100
    }
  }
}

extension Simulation {
  /// Whether any fault is about what is handed on, so that blocks are looked into.
  var handedPlants: Bool {
    !plants.isDisjoint(with: [
      .handedLost, .handedAsOther, .handedReordered, .handedElsewhere, .handedTwice, .handedLate,
      .handedKept,
    ])
  }

  /// Whether a planted fault strikes now.
  func isHit(_ plant: Plant) -> Bool {
    plants.contains(plant) && (plant.chance == 100 || random.percent(plant.chance))
  }
}
