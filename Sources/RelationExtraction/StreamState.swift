internal import DequeModule

/// What the tasks of one stream share: the texts of documents that were read, chunks of them on their
/// way and the batches that they fill. Decides what is done next; does nothing itself. It knows no
/// type of documents, so that the compiler can make fast code of it.
struct StreamState: Sendable {
  typealias Batch = OpenBatches<Chunk.Sentence>.Batch
  typealias Answer = Chunk.Answer

  var depth: StreamDepth

  /// The task that reads the source: in its `next`, before a full look-ahead, or at its end.
  private enum Reader { case waiting, blocked, ended }
  private var reader = Reader.waiting
  /// Why the source ended, where that is an error.
  private(set) var failure: (any Error)?
  private var documents: Deque<String?> = []
  private var read = ReadPosition()
  private var taken = ReadPosition()
  private var handedOut = ReadPosition()

  /// Chunks in input order from the first that was not handed out, with their answers.
  private struct Slot: Sendable {
    let taken: TakenChunk
    var answer: Answer?
  }
  private var chunks: Deque<Slot> = []
  private var chunksGone = 0
  /// The end of the chunk that the consumer has.
  private var held = ReadPosition()

  /// Chunks that are being tokenized.
  private var tokenizing = 0
  private var open = OpenBatches<Chunk.Sentence>()
  private var ready: Deque<Batch> = []
  private var inFlight = 0
  /// How much had been read when the source last looked as if it paused.
  private var settled = -1

  init(_ depth: StreamDepth) { self.depth = depth }

  // MARK: The reader

  /// Whether another document may be read.
  var hasRoom: Bool {
    let ahead = read - handedOut
    return ahead.documents < depth.bound.documents && ahead.bytes < depth.bound.bytes
  }

  /// Takes a document's text; whether there is room for another.
  mutating func append(_ text: String?) -> Bool {
    documents.append(text)
    read = read + ReadPosition(documents: 1, bytes: text?.utf8.count ?? 0)
    if !hasRoom { reader = .blocked }
    return hasRoom
  }

  private mutating func unblock() { if reader == .blocked, hasRoom { reader = .waiting } }

  mutating func end(_ failure: (any Error)?) { (reader, self.failure) = (.ended, failure) }

  // MARK: The pump

  /// What is to be done next.
  enum Step {
    case chunk, batch, wait, end
    /// A batch that is not full: nothing more comes for it now.
    case partial
    /// To look again once the reader has had its turn: a source that is fast is not one that pauses.
    case settle
  }

  var step: Step {
    let isFree = inFlight < depth.limits.concurrency
    if isFree, !ready.isEmpty { return .batch }
    if documents.count >= depth.chunk || (reader == .ended && !documents.isEmpty) { return .chunk }
    let isSentOn = documents.isEmpty && tokenizing == 0
    if reader == .ended, isSentOn, ready.isEmpty, open.isEmpty { return .end }
    // While the engine is busy documents gather, and so do sentences of one length.
    guard isFree, !(documents.isEmpty && open.isEmpty), isSentOn || !documents.isEmpty else {
      return .wait
    }
    if reader == .waiting, settled != read.documents { return .settle }
    return isSentOn ? .partial : .chunk
  }

  mutating func settle() { settled = read.documents }

  /// Documents to be tokenized together.
  mutating func takeChunk() -> TakenChunk {
    let texts = Array(documents.prefix(depth.chunk))
    documents.removeFirst(texts.count)
    let size = ReadPosition(
      documents: texts.count, bytes: texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) })
    let chunk = TakenChunk(
      number: chunksGone + chunks.count, texts: texts, first: taken.documents, end: taken + size)
    taken = chunk.end
    chunks.append(Slot(taken: chunk))
    tokenizing += 1
    return chunk
  }

  /// The next full batch, or else the one that has waited longest.
  mutating func takeBatch() -> Batch? {
    guard let batch = ready.popFirst() ?? open.takeOldest() else { return nil }
    inFlight += 1
    return batch
  }

  /// Takes the sentences of a chunk into batches, with the lengths that they are padded to.
  mutating func submit(
    _ sentences: [Chunk.Sentence], padded lengths: [Int], at position: ReadPosition
  ) {
    tokenizing -= 1
    for (sentence, length) in zip(sentences, lengths) {
      ready += open.add(sentence, padded: length, at: position, depth.limits)
    }
    // A rare length must not hold up the others' output until the look-ahead is full.
    let half = ReadPosition(
      documents: depth.bound.documents / 2, bytes: depth.bound.bytes / 2)
    ready += open.take(before: taken - half)
  }

  mutating func returned(_ depth: StreamDepth) {
    inFlight -= 1
    self.depth = depth
    unblock()
  }

  // MARK: The consumer

  mutating func answered(_ number: Int, _ answer: Answer) {
    chunks[number - chunksGone].answer = answer
  }

  /// Whether the consumer need not wait.
  var hasAnswer: Bool {
    guard let first = chunks.first else { return reader == .ended && documents.isEmpty }
    return first.answer != nil
  }

  /// Takes back the room of what the consumer had.
  mutating func release() {
    handedOut = held
    unblock()
  }

  /// The next chunk and its answer; nil when there is none.
  mutating func takeAnswer() -> (chunk: TakenChunk, answer: Answer)? {
    guard let first = chunks.first, let answer = first.answer else { return nil }
    chunks.removeFirst()
    held = first.taken.end
    chunksGone += 1
    return (first.taken, answer)
  }
}

/// Documents of a stream that are tokenized and handed out together.
struct TakenChunk: Sendable {
  /// Its place among the stream's chunks.
  let number: Int
  /// nil for a document that has none.
  let texts: [String?]
  /// The place of its first document, and the position behind its last.
  let first: Int
  let end: ReadPosition
}
