import Kafka
import Observability
import Product
import Records

// This loop's place in its group, and whether the group as a whole is in order.
extension ProductLoop {
  /// What to do when somebody else may hold this instance (rule 19).
  func whoHolds(after error: KafkaError) -> Recovery {
    let isOut = error.code == .fencedInstance
    // A fenced producer is made anew when nobody can be asked: should there be another holder, it
    // fences this one again. Joining anew would put the other out, so there the answer must be had.
    switch isHeldByAnother(mustKnow: isOut, isOut: isOut) {
    case true?: return .stop(.fenced)
    case false?: return isOut ? .rejoin : .renewProducer
    case nil: return .stop(.undrained("\(error)"))
    }
  }

  /// Whether another process holds this instance; nil when asked to stop before that was known.
  /// Nothing is written meanwhile.
  /// - Parameter mustKnow: whether to go on asking while the group cannot be seen; otherwise no
  ///   answer counts as nobody.
  func isHeldByAnother(mustKnow: Bool, isOut: Bool = false) -> Bool? {
    let admin = try? world.makeAdmin(readsUncommitted: false)
    let namesMembers = ownIds.contains { GroupMember.isNamed(instanceName, id: $0) }
    var question = HolderQuestion(
      sessionMs: settings.kafka.sessionMs, isBelieved: isOut && !namesMembers)
    while !control.isStopping {
      let sight = look(by: admin)
      if !mustKnow && (sight == .noAnswer || sight == .noGroup) { return false }
      noteOwnId()
      switch question.answer(sight, ownIds: ownIds, nowMs: world.monotonicMs()) {
      case .another: return true
      case .nobodyElse: return false
      case .notYet: world.pause(milliseconds: 500)
      }
    }
    return nil
  }

  private func look(by admin: World.Admin?) -> HolderQuestion.Sight {
    guard let admin else { return .noAnswer }
    do throws(KafkaError) {
      let limit = Deadline.after(milliseconds: Self.startCallMs)
      guard let group = try admin.group(product.names.group, limit) else { return .noGroup }
      return .members(group.members.filter { $0.isNamed(instanceName) }.map(\.memberId).sorted())
    } catch {
      noteAway(error)
      return .noAnswer
    }
  }

  /// Remembers the id that the group has given this loop's member.
  func noteOwnId() { if let id = consumer?.memberId { ownIds.insert(id) } }

  /// Looks now and then whether every partition has an owner. Never waits for the answer.
  func watchGroup(_ consumer: World.Consumer, nowMs: Int64) {
    if let look {
      guard look.isOver else { return }
      self.look = nil
      if let outcome = look.outcome { judge(outcome, consumer, nowMs: nowMs) }
    } else if watch.isDue(nowMs: nowMs) {
      watch.asked(nowMs: nowMs)
      look = world.look(at: consumer.group, topics: consumer.topics)
    }
  }

  private func judge(_ outcome: GroupLook.Outcome, _ consumer: World.Consumer, nowMs: Int64) {
    let ids = outcome.group.members.map(\.memberId).sorted()
    guard outcome.group.isStable, let own = consumer.memberId, let rank = ids.firstIndex(of: own)
    else { return }
    let unowned = consumer.unowned(in: outcome.group, counts: outcome.counts)
    if !watch.isDivisionDue(unowned: unowned, rank: rank, nowMs: nowMs) { return }
    // Any topic will do that is there and that the worker may see. If it fails, it is due again.
    let isBegun = try? consumer.divideAnew(
      with: product.names.quarantineTopic, .after(milliseconds: 1000))
    if isBegun != true { return }
    settings.log.write(
      PartitionsUnowned(
        product: product.name,
        partitions: unowned.map { "\(consumer.topics[$0.topic.value])[\($0.partition.value)]" }))
  }
}
