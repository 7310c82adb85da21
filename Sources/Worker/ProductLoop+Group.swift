import Kafka
import Observability
import Product
import Records

// This loop's place in its group, and whether the group as a whole is in order.
extension ProductLoop {
  /// What to do when somebody else may hold this instance (rule 19).
  func whoHolds(after error: KafkaError) -> Recovery {
    if error.code != .fencedInstance {
      // Should there be one after all, it fences this one again.
      return isHeldByAnother() == true ? .stop(.fenced) : .renewProducer
    }
    // Joining anew would put the other out, so here the answer has to be had. A coordinator that
    // took over from one that died may know an older id of this very member.
    while true {
      if let isHeld = isHeldByAnother() { return isHeld ? .stop(.fenced) : .rejoin }
      if control.isStopping { return .stop(.undrained("\(error)")) }
      noteAway(error)
      control.pause(milliseconds: 500)
    }
  }

  /// Whether the group knows another member under this instance's name; nil if that cannot be found
  /// out.
  func isHeldByAnother() -> Bool? {
    let limit = Deadline.after(milliseconds: ProductLoop.startCallMs)
    guard let admin = try? Admin(settings: settings.kafka),
      let group = try? admin.group(product.names.group, limit)
    else { return nil }
    return group.members.contains { $0.instance == instanceName && $0.clientId != clientId }
  }

  /// Looks now and then whether every partition has an owner. Never waits for the group's answer.
  func watchGroup(_ consumer: GroupConsumer, nowMs: Int64) throws(LoopFailure) {
    if consumer.isAskingForGroup {
      guard let group = answer(consumer), group.isStable else { return }
      try judge(group, consumer, nowMs: nowMs)
    } else if watch.isDue(nowMs: nowMs) {
      watch.asked(nowMs: nowMs)
      consumer.askForGroup()
    }
  }

  /// Nil while there is none, and when it cannot be had: it is asked for again.
  private func answer(_ consumer: GroupConsumer) -> GroupDescription? {
    do throws(KafkaError) {
      return try consumer.groupAnswer()
    } catch {
      return nil
    }
  }

  private func judge(_ group: GroupDescription, _ consumer: GroupConsumer, nowMs: Int64)
    throws(LoopFailure)
  {
    let ids = group.members.map(\.memberId).sorted()
    guard let own = consumer.memberId, let rank = ids.firstIndex(of: own) else { return }
    let counts: [Int?]
    do throws(KafkaError) {
      counts = try consumer.partitionCounts(.after(milliseconds: 1000))
    } catch {
      return
    }
    let unowned = consumer.unowned(in: group, counts: counts.map { $0 ?? 0 })
    if !watch.isDivisionDue(unowned: unowned, rank: rank, nowMs: nowMs) { return }
    settings.log.write(
      PartitionsUnowned(
        product: product.name,
        partitions: unowned.map { "\(consumer.topics[$0.topic.value])[\($0.partition.value)]" }))
    do {
      // Any topic will do that is there and that the worker may see.
      try consumer.divideAnew(with: product.names.quarantineTopic)
    } catch {
      throw .kafka(error, .reading)
    }
  }
}
