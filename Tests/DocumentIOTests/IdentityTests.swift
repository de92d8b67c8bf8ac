import Foundation
import TestSupport
import Testing

@testable import DocumentIO

@Suite struct IdentityTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func write(_ bytes: [UInt8], modified seconds: Double = 1_795_614_312) throws -> FileName
  {
    let path = try scratch.file("news.txt", bytes)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
    return FileName(path)
  }

  private let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }

  @Test("The same file is the same, also by way of JSON")
  func same() throws {
    for bytes in [[], [0x61], large] {
      let name = try write(bytes)
      let identity = try InputIdentity(of: name, readsAll: true)
      let copy = try JSONDecoder().decode(
        InputIdentity.self, from: try JSONEncoder().encode(identity))
      #expect(copy == identity && identity.size == bytes.count)
      #expect(try InputIdentity(of: name).difference(from: copy) == nil)
    }
    // sha256sum of nothing.
    let nothing = try InputIdentity(of: try write([]), readsAll: true)
    #expect(nothing.whole == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(nothing.edges == nothing.whole)
  }

  private func difference(
    _ old: [UInt8], _ new: [UInt8], later: Double = 0, readsAll: Bool = false
  ) throws -> String? {
    let before = try InputIdentity(of: try write(old), readsAll: readsAll)
    let now = try InputIdentity(
      of: try write(new, modified: 1_795_614_312 + later), readsAll: readsAll)
    return now.difference(from: before)?.replacing(scratch.path("news.txt"), with: "news.txt")
  }

  @Test("What differs is named")
  func named() throws {
    #expect(
      try difference(large, Array(large.dropLast(6)))
        == "news.txt had 300,000 bytes, now it has 299,994")
    for place in [0, 65_535, 299_999] {
      var other = large
      other[place] ^= 1
      #expect(try difference(large, other)?.contains("others at its beginning or end") == true)
    }
    #expect(
      try difference(large, large, later: 60)
        == "news.txt was modified (2026-11-25T13:46:12Z), and its bytes may differ")
    let one = try InputIdentity(of: try write([]))
    var two = one
    two.path = "other.txt"
    #expect(one.difference(from: two)?.hasPrefix("the input was other.txt, now it is ") == true)
  }

  @Test("With the digest of all of it, bytes count and the time does not")
  func whole() throws {
    var other = large
    other[150_000] ^= 1
    #expect(try difference(large, other, readsAll: true)?.contains("but other ones") == true)
    #expect(try difference(large, large, later: 60, readsAll: true) == nil)
    #expect(try difference(large, other) == nil)
  }

  @Test("What is no file has no identity")
  func pipes() throws {
    mkfifo(scratch.path("pipe"), 0o600)
    for name in [FileName("-"), scratch.name("pipe"), scratch.name("gone")] {
      #expect(throws: InputOutputError.self) { try InputIdentity(of: name) }
    }
  }
}
