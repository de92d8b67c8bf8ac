import Synchronization

@testable import DocumentIO

/// The system's calls; the bytes that are read are counted.
final class CountedReads: Sendable {
  private let count = Atomic(0)

  var bytes: Int { count.load(ordering: .relaxed) }

  var calls: SystemCalls {
    var calls = SystemCalls.real
    calls.read = { descriptor, buffer throws(SystemError) in
      let read = try SystemCalls.real.read(descriptor, buffer)
      self.count.add(read, ordering: .relaxed)
      return read
    }
    return calls
  }
}
