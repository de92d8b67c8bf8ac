/// Whether two ways to compute one model give the same triples, within a tolerance of their scores.
public struct Agreement: Sendable {
  /// A triple at its place in a document.
  public struct Occurrence: Hashable, Sendable, Comparable {
    /// UTF-8 bytes of the subject.
    public var subject: Range<Int>
    /// The predicate.
    public var predicate: String
    /// UTF-8 bytes of the object.
    public var object: Range<Int>

    /// A triple's place.
    public init(subject: Range<Int>, predicate: String, object: Range<Int>) {
      (self.subject, self.predicate, self.object) = (subject, predicate, object)
    }

    /// By subject, object, predicate.
    public static func < (a: Occurrence, b: Occurrence) -> Bool {
      (a.subject.lowerBound, a.object.lowerBound, a.predicate)
        < (b.subject.lowerBound, b.object.lowerBound, b.predicate)
    }
  }

  /// A document's triples with their scores, or why it has none.
  public typealias Reading = Result<[Occurrence: Float], Failure>

  /// Why a side could not read a document.
  public struct Failure: Error, Sendable {
    /// The side's own words.
    public var reason: String

    /// A failure.
    public init(reason: String) { self.reason = reason }
  }

  /// One thing that the sides do not have in common.
  public struct Difference: Sendable {
    /// The document's number, from 0.
    public var document: Int
    /// The triple; nil where a side failed.
    public var triple: Occurrence?
    /// Its scores; nil on the side that does not have it at all.
    public var scores: (first: Float?, second: Float?)
    /// A side's words where it failed.
    public var reason: String?
  }

  /// Scores strictly above it are triples.
  public let threshold: Float
  /// Scores may differ by so much.
  public let tolerance: Float
  /// Documents read.
  public private(set) var documents = 0
  /// Triples that both sides have.
  public private(set) var common = 0
  /// Triples that one side has and the other only within the tolerance of the threshold.
  public private(set) var near = 0
  /// The largest difference of a score, of triples that both know.
  public private(set) var largest: Float = 0
  /// What is beyond the tolerance.
  public private(set) var differences: [Difference] = []
  private var sum = 0.0
  private var compared = 0

  /// Nothing compared yet.
  public init(threshold: Float, tolerance: Float) {
    (self.threshold, self.tolerance) = (threshold, tolerance)
  }

  /// Scores down to which both sides must tell their triples, so that one which is just below the
  /// threshold on a side is still seen there.
  public var floor: Float { threshold - max(1, 2 * tolerance) }

  /// The mean difference of the scores compared.
  public var mean: Double { compared == 0 ? 0 : sum / Double(compared) }

  /// Whether nothing differs beyond the tolerance.
  public var isAgreed: Bool { differences.isEmpty }

  /// Takes one document, read by both sides down to `floor`.
  public mutating func add(_ first: Reading, _ second: Reading) {
    defer { documents += 1 }
    switch (first, second) {
    case (.success(let a), .success(let b)): compare(a, b)
    case (.failure(let failure), _), (_, .failure(let failure)):
      differences.append(
        Difference(document: documents, triple: nil, scores: (nil, nil), reason: failure.reason))
    }
  }

  private mutating func compare(_ a: [Occurrence: Float], _ b: [Occurrence: Float]) {
    for key in Set(a.keys).union(b.keys).sorted() {
      let scores = (first: a[key], second: b[key])
      let (x, y) = (scores.first ?? floor, scores.second ?? floor)
      // A triple that one side does not know scores below the floor there.
      let difference = abs(x - y)
      if scores.first != nil, scores.second != nil {
        largest = max(largest, difference)
        sum += Double(difference)
        compared += 1
      }
      let (isFirst, isSecond) = (x > threshold, y > threshold)
      if isFirst && isSecond { common += 1 }
      if difference > tolerance {
        differences.append(Difference(document: documents, triple: key, scores: scores))
      } else if isFirst != isSecond {
        near += 1
      }
    }
  }
}
