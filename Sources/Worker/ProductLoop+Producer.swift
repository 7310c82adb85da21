import Engine
import Kafka
import Observability
import Product

// The transactional producer: made, asked for by each transaction, given up when it is in doubt.
extension ProductLoop {
  /// How often, and how long each time, a start looks whether its predecessor's transaction is
  /// over.
  private static var looks: Int { 8 }
  private static var lookMs: Int { 40 }

  /// The producer, with a transaction open.
  func begin() throws(LoopFailure) -> Publisher<World.Producer> {
    giveUpDoubtfulProducer()
    let publisher = if let publisher { publisher } else { try openProducer() }
    do {
      try publisher.beginIfNeeded()
    } catch {
      throw .kafka(error, .writing)
    }
    return publisher
  }

  /// Before a transaction begins: an epoch under which the end of the last one may still come is
  /// not used again.
  private func giveUpDoubtfulProducer() {
    guard settings.unsafe.keeps(.epochAfterLoss), let producer = publisher?.producer,
      !producer.isInTransaction, let reason = producer.connectionLoss()
    else { return }
    let now = world.monotonicMs()
    if lossSaidMs.map({ now - $0 >= 30_000 }) ?? true {
      lossSaidMs = now
      settings.log.write(ConnectionLost(product: product.name, reason: reason))
    }
    publisher = nil
  }

  @discardableResult
  func openProducer() throws(LoopFailure) -> Publisher<World.Producer> {
    if consumer == nil {
      monitor.update { $0.phase = .starting }
      try checkTopics()
    }
    let fences = settings.unsafe.keeps(.fencing)
    let id = fences ? instanceName : "\(instanceName).\(world.drawNumber())"
    let batchBytes = try setLimits()
    let producer = try becomeOnly(id, batchBytes: batchBytes)
    // Else the consumer's start does, behind what tells more.
    if consumer != nil { try checkOutputs(producer) }
    let made = Publisher(producer, plan: plan)
    publisher = made
    return made
  }

  /// A producer that holds the transactional id alone.
  ///
  /// Where the predecessor's open transaction is still being aborted, which takes milliseconds,
  /// librdkafka asks again after half a second. A client that is made anew asks at once.
  private func becomeOnly(_ id: String, batchBytes: Int) throws(LoopFailure) -> World.Producer {
    var producer = try makeProducer(id, batchBytes)
    for _ in 0..<Self.looks where !control.isStopping {
      do {
        try producer.initTransactions(.after(milliseconds: Self.lookMs))
        return producer
      } catch {
        let isAborting = error.code == .concurrentTransactions
        if !isAborting && error.reaction == .retry { continue }
        producer = try makeProducer(id, batchBytes)
        if !isAborting { break }
      }
    }
    do {
      try patiently { limit throws(KafkaError) in try producer.initTransactions(limit) }
    } catch .kafka(let error, _) where error.code == .invalidTransactionTimeout {
      throw .stop(
        .refused(
          "\(error): a transaction lasts as long as commit.interval in worker.yaml, and the broker's"
            + " transaction.max.timeout.ms is shorter"))
    }
    return producer
  }

  private func makeProducer(_ id: String, _ batchBytes: Int) throws(LoopFailure) -> World.Producer {
    do {
      return try world.makeProducer(
        transactionalId: id, topics: writtenTopics, batchBytes: batchBytes, log: log)
    } catch {
      throw .stop(.refused("\(error)"))
    }
  }

  /// The engine cuts what a topic or the producer would not take; where a broker does not tell, its
  /// defaults hold. Returns how large a batch may be: a topic's limit is for whole batches.
  private func setLimits() throws(LoopFailure) -> Int {
    if let batchBytes { return batchBytes }
    let own = settings.kafka.messageBytesMax
    var batch = settings.kafka.batchBytesMax
    func smallest(_ topics: [String]) throws(LoopFailure) -> Int? {
      var result: Int?
      for topic in topics {
        guard let bytes = try topicBytesMax(topic) else { continue }
        batch = min(batch, bytes)
        result = min(result ?? own, bytes)
      }
      return result.map { Limits.recordBytesMax(batchBytes: $0) }
    }
    let defaults = Limits()
    plan.limits.journalBytesMax =
      try smallest(product.journals.map(\.topic))
      ?? min(defaults.journalBytesMax, own - Limits.framingBytes)
    plan.limits.quarantineBytesMax =
      try smallest([product.names.quarantineTopic])
      ?? min(defaults.quarantineBytesMax, own - Limits.framingBytes)
    // An output's limit is Weft's own: these topics only bound the batch.
    _ = try smallest(product.outputs.map(\.topic))
    batchBytes = batch
    return batch
  }

  /// Nil where the broker does not tell, such as for want of a right.
  private func topicBytesMax(_ topic: String) throws(LoopFailure) -> Int? {
    try patiently { limit throws(KafkaError) -> Int? in
      let admin = try self.world.makeAdmin(readsUncommitted: false)
      do throws(KafkaError) {
        let configs = try admin.topicConfigs(topic, limit)
        guard let text = configs.first(where: { $0.name == "max.message.bytes" })?.value
        else { return nil }
        return Int(text)
      } catch {
        if error.reaction == .retry || error.isLoginRefused { throw error }
        return nil
      }
    }
  }
}
