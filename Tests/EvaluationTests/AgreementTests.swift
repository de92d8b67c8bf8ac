import Testing

@testable import Evaluation

@Suite struct AgreementTests {
  private func place(_ number: Int) -> Agreement.Occurrence {
    .init(subject: number..<number + 1, predicate: "p", object: 9..<10)
  }

  private func agreement(_ a: [Int: Float], _ b: [Int: Float]) -> Agreement {
    func keyed(_ scores: [Int: Float]) -> Agreement.Reading {
      .success(Dictionary(uniqueKeysWithValues: scores.map { (place($0.key), $0.value) }))
    }
    var agreement = Agreement(threshold: 0, tolerance: 0.01)
    agreement.add(keyed(a), keyed(b))
    return agreement
  }

  @Test func `Scores within the tolerance agree, on either side of the threshold`() {
    let found = agreement([1: 2, 2: 0.004, 3: -0.5], [1: 2.005, 2: -0.003, 3: -0.501])
    #expect(found.isAgreed && found.common == 1 && found.near == 1)
    #expect(abs(found.largest - 0.007) < 1e-5 && found.mean > 0)
  }

  @Test func `A triple that one side does not have, or has with another score, differs`() {
    let missing = agreement([1: 2, 2: 3], [1: 2])
    #expect(missing.differences.count == 1 && missing.differences[0].triple == place(2))
    #expect(missing.differences[0].scores.second == nil && missing.common == 1)
    #expect(!agreement([1: 2], [1: 2.02]).isAgreed)
  }

  @Test func `A triple at the floor may be unknown to the other side`() {
    #expect(agreement([1: -0.999], [:]).isAgreed)
    #expect(!agreement([1: -0.9], [:]).isAgreed)
  }

  @Test func `A side that fails is a difference with its reason`() {
    var agreement = Agreement(threshold: 0, tolerance: 0.01)
    agreement.add(.success([:]), .failure(.init(reason: "a NaN")))
    #expect(agreement.differences.first?.reason == "a NaN" && agreement.documents == 1)
  }
}
