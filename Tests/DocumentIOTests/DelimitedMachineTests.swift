import Testing

@testable import DocumentIO

/// One record, or a line that is none.
private struct Row: Equatable, CustomStringConvertible {
  var line: Int
  var byte: Int
  var fields: [String]?

  var description: String { "\(line)@\(byte): \(fields.map { "\($0)" } ?? "no record")" }
}

private func rows(
  _ pieces: [[UInt8]], limit: Int = 1_000, lineEnd: UInt8 = 0x0A
) -> [Row] {
  var machine = DelimitedMachine(limit: limit, lineEnd: lineEnd)
  var source = Pieces(pieces)
  var found: [Row] = []
  repeat {
    while let row = machine.next(&source.input) {
      guard row.fault == nil else {
        found.append(Row(line: row.frame.line, byte: row.frame.byte, fields: nil))
        continue
      }
      let record = source.input.bytes[row.frame.range]
      let fields = machine.fields.map { field in
        let bytes = Array(
          record[
            record.startIndex + field.range.lowerBound..<record.startIndex + field.range.upperBound]
        )
        return String(
          decoding: field.hasDoubledQuotes ? undoubled(bytes.span) : bytes, as: UTF8.self)
      }
      found.append(Row(line: row.frame.line, byte: row.frame.byte, fields: fields))
    }
  } while source.feed()
  return found
}

private func rows(_ text: String, limit: Int = 1_000) -> [Row] {
  rows([Array(text.utf8)], limit: limit)
}

private func fields(_ text: String, limit: Int = 1_000) -> [[String]?] {
  rows(text, limit: limit).map(\.fields)
}

/// The same by looking at the whole text at once, without any care for time.
private func naive(_ text: [UInt8], limit: Int) -> [Row] {
  var found: [Row] = []
  var (at, line, aloneUntil) = (0, 1, 0)
  while at < text.count {
    let end = text[at...].firstIndex(of: 0x0A) ?? text.count
    if at >= aloneUntil, let record = wholeRecord(text, at, limit) {
      found.append(Row(line: line, byte: at, fields: record.fields))
      line += record.lines
      at = record.next
      continue
    }
    if at >= aloneUntil { aloneUntil = failure(text, at, limit) }
    let alone = Array(text[at..<end])
    let record = alone.count > limit ? nil : wholeRecord(alone, 0, limit)
    let isEmpty = alone.isEmpty
    found.append(Row(line: line, byte: at, fields: isEmpty ? [""] : record?.fields))
    line += 1
    at = end + 1
  }
  return found
}

/// A record at a place: fields one after the other, each quoted as a whole or not at all.
private func wholeRecord(
  _ text: [UInt8], _ start: Int, _ limit: Int
) -> (fields: [String], lines: Int, next: Int)? {
  var (fields, lines, at) = ([String](), 1, start)
  while true {
    var field: [UInt8] = []
    if at < text.count, text[at] == 0x22 {
      at += 1
      while true {
        guard at < text.count else { return nil }
        if text[at] == 0x22 {
          guard at + 1 < text.count, text[at + 1] == 0x22 else { break }
          at += 1
        }
        if text[at] == 0x0A { lines += 1 }
        field.append(text[at])
        at += 1
      }
      at += 1
      if at < text.count, text[at] == 0x0D, at + 1 == text.count || text[at + 1] == 0x0A { at += 1 }
      guard at == text.count || text[at] == 0x2C || text[at] == 0x0A else { return nil }
      if at > start, text[at - 1] == 0x0D, at < text.count, text[at] == 0x2C { return nil }
    } else {
      while at < text.count, text[at] != 0x2C, text[at] != 0x0A {
        field.append(text[at])
        at += 1
      }
      let ends = at == text.count || text[at] == 0x0A
      if ends, field.last == 0x0D { field.removeLast() }
    }
    fields.append(String(decoding: field, as: UTF8.self))
    if at == text.count || text[at] == 0x0A {
      return at - start <= limit ? (fields, lines, at + 1) : nil
    }
    at += 1
  }
}

/// Up to where the bytes from `start` are given back: the first place where they can be no record.
private func failure(_ text: [UInt8], _ start: Int, _ limit: Int) -> Int {
  for end in start...text.count {
    if end - start > limit { return end }
    // A record that ends here, followed by a plain character, is not to be saved.
    let begun = Array(text[start..<end])
    let canGoOn = ["", "\n", "\"", "\"\n", "\"\"\n"].contains { more in
      wholeRecord(begun + Array(more.utf8), 0, .max) != nil
    }
    if !canGoOn { return end - 1 }
  }
  return text.count
}

@Suite struct DelimitedMachineTests {
  @Test(
    "CSV by RFC 4180",
    arguments: [
      ("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
      ("aaa,bbb,ccc\r\nzzz,yyy,xxx", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
      ("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
      ("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz", [["aaa", "b\r\nbb", "ccc"], ["zzz"]]),
      ("\"aaa\",\"b\"\"bb\",\"ccc\"", [["aaa", "b\"bb", "ccc"]]),
      ("a,,c\n,\n", [["a", "", "c"], ["", ""]]),
      ("\"\"\n\"\"\"\"\n", [[""], ["\""]]),
      (" \"a\" ,b\n", [[" \"a\" ", "b"]]),
    ])
  func golden(text: String, expected: [[String]]) { #expect(fields(text) == expected) }

  @Test(
    "Bug: a quote within an unquoted field joined rows",
    arguments: [
      ("屏6.1\"\n好\n书\n", [["屏6.1\""], ["好"], ["书"]]),
      ("1,屏6.1\"和7\"\n2,好\n", [["1", "屏6.1\"和7\""], ["2", "好"]]),
    ])
  func strayQuote(text: String, expected: [[String]]) { #expect(fields(text) == expected) }

  @Test("A quote that never closes costs its line, and the others are read")
  func openQuote() {
    #expect(fields("1,a\n2,\"b\n3,c\n4,d") == [["1", "a"], nil, ["3", "c"], ["4", "d"]])
  }

  @Test("A quote that closes in the middle of a later line costs these two lines")
  func closesLate() {
    let text = "1,\"5寸\n2,好\n3,书\n4,\"6寸\n5,\"x\ny\"\n"
    #expect(
      rows(text).map(\.fields) == [nil, ["2", "好"], ["3", "书"], nil, ["5", "x\ny"]])
    #expect(rows(text).map(\.line) == [1, 2, 3, 4, 5])
  }

  @Test("A record of several lines over the limit is given back line by line")
  func recordLimit() {
    let text = "1,\"a\nbbbb\ncccc\ndd\"\n2,e\n"
    #expect(fields(text, limit: 100) == [["1", "a\nbbbb\ncccc\ndd"], ["2", "e"]])
    #expect(fields(text, limit: 18) == [["1", "a\nbbbb\ncccc\ndd"], ["2", "e"]])
    #expect(fields(text, limit: 17) == [nil, ["bbbb"], ["cccc"], ["dd\""], ["2", "e"]])
  }

  @Test("A line over the limit is one reject, and the next is read")
  func longLine() {
    #expect(fields("aaaaaaaaaa,b\nc\n", limit: 5) == [nil, ["c"]])
    #expect(fields("\"aaaaaaaaa\",b\nc\n", limit: 5) == [nil, ["c"]])
  }

  @Test("Where a stream is cut into pieces changes nothing")
  func everyCut() {
    for text in strings("a,\"\n", upTo: 5) + strings("a\"\n\r", upTo: 5) {
      let whole = rows([text], limit: 4)
      for pieces in cuts(text) {
        #expect(rows(pieces, limit: 4) == whole, "\(pieces)")
        if rows(pieces, limit: 4) != whole { return }
      }
    }
  }

  @Test("Every small input gives what a naive reading of it gives", arguments: [4, 1_000])
  func everySmallInput(limit: Int) {
    for text in strings("a,\"\n", upTo: 7) + strings("a\"\n\r", upTo: 7) {
      let (found, expected) = (rows([text], limit: limit), naive(text, limit: limit))
      if found != expected {
        let shown = String(decoding: text, as: UTF8.self).debugDescription
        Issue.record("\(shown): \(found), expected \(expected)")
        return
      }
    }
  }

  @Test("Bug: each line of an open record was read again for the next")
  func linearTime() {
    // Counted in bytes looked at: a quadratic reader would need hours for this.
    let text = Array("x,\"y\n".utf8) + (0..<200_000).flatMap { _ in Array("1,2\n".utf8) }
    let pieces = stride(from: 0, to: text.count, by: 4_096).map {
      Array(text[$0..<min($0 + 4_096, text.count)])
    }
    let found = rows(pieces, limit: 16 << 20)
    #expect(found.count == 200_001)
    #expect(found.count { $0.fields == nil } == 1)
  }

  @Test("Rows may end in carriage returns alone")
  func returns() {
    let found = rows([Array("a,b\r\"c\rd\",e\r".utf8)], lineEnd: 0x0D)
    #expect(found.map(\.fields) == [["a", "b"], ["c\rd", "e"]])
  }
}
