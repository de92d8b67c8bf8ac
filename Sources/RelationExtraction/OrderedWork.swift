/// Pieces of work that run beside each other and give their results in the order they were begun.
///
/// Work that is not waited for is cancelled with the last reference.
public final class OrderedWork<Value: Sendable> {
  private var running: [Task<Value, any Error>] = []

  /// Nothing yet.
  public init() {}

  deinit { for task in running { task.cancel() } }

  /// Pieces begun whose results have not been taken.
  public var count: Int { running.count }

  /// Begins a piece.
  public func begin(_ body: @escaping @Sendable () async throws -> Value) {
    running.append(Task(operation: body))
  }

  /// The result of the oldest piece; nil when there is none. Cancelled with the caller's task.
  public func next() async throws -> Value? {
    guard !running.isEmpty else { return nil }
    let oldest = running.removeFirst()
    return try await withTaskCancellationHandler {
      try await oldest.value
    } onCancel: {
      oldest.cancel()
    }
  }
}
