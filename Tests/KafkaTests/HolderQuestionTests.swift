import Testing
import Worker

@Suite struct HolderQuestionTests {
  /// Asks every half second what `sight` shows at that time; the answer, and when it was had.
  private func ask(
    _ own: Set<String> = ["a-1", "a-2"], isBelieved: Bool = false,
    _ sight: (Int64) -> HolderQuestion.Sight
  ) -> (HolderQuestion.Answer, atMs: Int64) {
    var question = HolderQuestion(sessionMs: 10_000, isBelieved: isBelieved)
    var now: Int64 = 50_000
    while now < 200_000 {
      let answer = question.answer(sight(now - 50_000), ownIds: own, nowMs: now)
      if answer != .notYet { return (answer, now - 50_000) }
      now += 500
    }
    return (.notYet, now)
  }

  @Test func `a member with any id that was once given to this one is this one`() {
    for id in ["a-1", "a-2"] { #expect(ask { _ in .members([id]) } == (.nobodyElse, 0)) }
    #expect(ask { _ in .members([]) } == (.nobodyElse, 0))
  }

  @Test func `a stranger that outlasts a session is a successor`() {
    #expect(ask { _ in .members(["a-9"]) } == (.another, 12_000))
  }

  @Test func `a stranger that the group forgets was a ghost`() {
    #expect(ask { $0 < 9000 ? .members(["a-9"]) : .members([]) } == (.nobodyElse, 9000))
  }

  @Test func `whoever was put out by a ghost that is forgotten before it was seen is alone`() {
    let late = ask { $0 < 9000 ? .noAnswer : .members([]) }
    #expect(late == (.nobodyElse, 9000))
  }

  @Test func `whoever was put out for another believes it where the group names nobody`() {
    #expect(ask(isBelieved: true) { _ in .members([]) } == (.another, 0))
    #expect(ask(isBelieved: true) { _ in .members(["a-2"]) } == (.nobodyElse, 0))
    #expect(
      ask(isBelieved: true) { $0 < 9000 ? .members(["a-9"]) : .members([]) } == (.nobodyElse, 9000))
  }

  @Test func `the time of a stranger counts from when it was first seen, anew for each`() {
    #expect(ask { $0 < 30_000 ? .noAnswer : .members(["a-9"]) } == (.another, 42_000))
    #expect(ask { $0 < 8000 ? .members(["a-8"]) : .members(["a-9"]) } == (.another, 20_000))
    let away = ask { $0 == 6000 ? .noAnswer : .members(["a-9"]) }
    #expect(away == (.another, 18_500))
  }

  @Test func `a group that is nowhere has to stay so, and one that cannot be asked says nothing`() {
    #expect(ask { _ in .noGroup } == (.nobodyElse, 12_000))
    #expect(ask { $0 < 5000 ? .noGroup : .members(["a-9"]) } == (.another, 17_000))
    #expect(ask { _ in .noAnswer }.0 == .notYet)
  }
}
