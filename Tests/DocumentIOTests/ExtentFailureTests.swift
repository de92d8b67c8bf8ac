import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct ExtentFailureTests {
  private let scratch: Scratch
  private let files: [FileName]

  init() throws {
    scratch = try Scratch()
    let lines = (0..<20_000).map { "第\($0)行" }
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    files = [
      FileName(try scratch.file("a.txt", text)),
      FileName(try scratch.file("b.tsv", Array("text\n".utf8) + text)),
      FileName(try scratch.file("c.csv", Array("text\n".utf8) + text)),
      FileName(try scratch.file("d.txt.gz", try scratch.filtered("gzip", ["-c"], text))),
    ]
  }

  /// Extents in the middle of a file, and what comes of them.
  private func extents(_ name: FileName) throws -> [(RecordReader.Extent, [InputItem])] {
    let whole = try items(name)
    let (place, start) = (whole[12_000].place, whole[9_000].place?.byte ?? 0)
    let end = whole[15_000].place?.byte
    return [
      (.init(after: place), Array(whole[12_001...])),
      (.init(start: start, end: end), Array(whole[9_000..<15_000])),
      (.init(start: start, end: end, after: place), Array(whole[12_001..<15_000])),
    ]
  }

  @Test("Whichever call fails, the items before it are right and one notice tells of it")
  func everyCall() throws {
    for name in files {
      for (extent, wanted) in try extents(name) {
        for nth in 1... {
          let system = FailingSystem(nth: nth, .error(EIO))
          var found = try items(name, extent: extent, system: system.calls)
          let comment = Comment(rawValue: "call \(nth), \(system.failed), of \(name.text)")
          if let notice = found.last?.notice {
            #expect(notice.isFailure && "\(notice)".contains("Input/output error"), comment)
            #expect(found.count <= wanted.count + 1, comment)
            found.removeLast()
            // Where the file could not be read on, its last line may have been cut.
            if !found.isEmpty { found.removeLast() }
            #expect(wanted.starts(with: found), comment)
          } else {
            #expect(found == wanted, comment)
          }
          guard system.hasFailed else {
            #expect(nth > 4)
            break
          }
        }
      }
    }
  }

  @Test(
    "Calls that signals interrupt, or that do a part, are made again",
    arguments: [FailingSystem.Failure.error(EINTR), .short])
  func interruptions(failure: FailingSystem.Failure) throws {
    for name in files {
      for (extent, wanted) in try extents(name) {
        for nth in 1... {
          let system = FailingSystem(nth: nth, failure)
          #expect(try items(name, extent: extent, system: system.calls) == wanted)
          guard system.hasFailed else { break }
        }
      }
    }
  }

  @Test("An identity is whole or an error, whichever call fails")
  func identity() throws {
    let whole = try InputIdentity(of: files[0], readsAll: true)
    for nth in 1... {
      let system = FailingSystem(nth: nth, .error(EIO))
      let found = try? InputIdentity(of: files[0], readsAll: true, system: system.calls)
      #expect(found == (system.hasFailed && system.failed != "close" ? nil : whole))
      let short = FailingSystem(nth: nth, .short)
      #expect(try InputIdentity(of: files[0], readsAll: true, system: short.calls) == whole)
      guard system.hasFailed else { return #expect(nth > 5) }
    }
  }
}
