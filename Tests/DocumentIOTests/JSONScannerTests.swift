import Foundation
import TestSupport
import Testing

@testable import DocumentIO

/// Whether bytes are one JSON object by a plain recursive reading of the grammar.
private struct NaiveJSON {
  let bytes: [UInt8]
  var at = 0

  static func isObject(_ bytes: [UInt8]) -> Bool {
    var reader = NaiveJSON(bytes: bytes)
    reader.blanks()
    guard reader.peek == UInt8(ascii: "{"), reader.value() else { return false }
    reader.blanks()
    return reader.at == bytes.count
  }

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func blanks() {
    while let byte = peek, " \t\r\n".utf8.contains(byte) { at += 1 }
  }

  private mutating func take(_ text: String) -> Bool {
    guard bytes[at...].starts(with: text.utf8) else { return false }
    at += text.utf8.count
    return true
  }

  private mutating func value() -> Bool {
    blanks()
    if take("{") { return list("}") { $0.string() && $0.colon() && $0.value() } }
    if take("[") { return list("]") { $0.value() } }
    if peek == UInt8(ascii: "\"") { return string() }
    return take("true") || take("false") || take("null") || number()
  }

  private mutating func colon() -> Bool {
    blanks()
    return take(":")
  }

  private mutating func list(_ end: String, _ element: (inout NaiveJSON) -> Bool) -> Bool {
    blanks()
    if take(end) { return true }
    repeat {
      blanks()
      guard element(&self) else { return false }
      blanks()
    } while take(",")
    return take(end)
  }

  private mutating func string() -> Bool {
    let pattern = #/"([^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/#.matchingSemantics(
      .unicodeScalar)
    let rest = String(decoding: bytes[at...], as: UTF8.self)
    guard let match = rest.prefixMatch(of: pattern) else { return false }
    at += match.0.utf8.count
    return true
  }

  private mutating func number() -> Bool {
    let pattern = #/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/#
    let rest = String(decoding: bytes[at...], as: UTF8.self)
    guard let match = rest.prefixMatch(of: pattern) else { return false }
    at += match.0.utf8.count
    return true
  }
}

private func members(_ text: String) throws(JSONFault) -> [String] {
  let bytes = Array(text.utf8)
  var members: [JSONScanner.Member] = []
  try JSONScanner.members(of: bytes.span, into: &members)
  return members.map { member in
    let name = jsonString(bytes.span.extracting(member.name), isEscaped: member.nameIsEscaped)
    return "\(name)=\(String(decoding: bytes[member.value], as: UTF8.self))"
  }
}

private func fault(_ text: String) -> String? {
  do throws(JSONFault) {
    _ = try members(text)
    return nil
  } catch { return "\(error.byte): \(error.reason)" }
}

private func isObject(_ bytes: [UInt8]) -> Bool {
  var members: [JSONScanner.Member] = []
  return (try? JSONScanner.members(of: bytes.span, into: &members)) != nil
}

@Suite struct JSONScannerTests {
  @Test("Members are found with their values as they were written")
  func spans() throws {
    let text = #" { "a" : 1.50 , "\u4e00":[1,{"}":"]"}] ,"n":null,"e":{},"a":1e999} "#
    #expect(try members(text) == ["a=1.50", #"一=[1,{"}":"]"}]"#, "n=null", "e={}", "a=1e999"])
  }

  @Test(
    "What is no JSON is told with its place",
    arguments: [
      (#"{"x":NaN}"#, "5: NaN stands where a value is expected"),
      (#"{"x":-Infinity}"#, "6: Infinity stands where a digit is expected"),
      (#"{"x":01}"#, "6: 1 stands where a comma or } is expected"),
      (#"{"x":"\ud800x"}"#, #"6: \ud800 is half of a surrogate pair"#),
      (#"{"x":"\udc00"}"#, #"6: \udc00 is half of a surrogate pair"#),
      (#"{"x":"\ud83d\u0041"}"#, #"6: \ud83d is half of a surrogate pair"#),
      ("{\"x\":\"a\tb\"}", "7: control character 0x09 stands unescaped in a string"),
      (#"{"x":"\q"}"#, "6: a backslash stands before what is no escape"),
      (#"{"x":1,}"#, "7: } stands where a name in quotes is expected"),
      (#"{"x":1} {"#, "8: { stands where nothing after the object is expected"),
      (#"{'x':1}"#, "1: ' stands where a name in quotes is expected"),
      ("{\"x\":[1\u{FEFF}]}", "7: byte 0xef stands where a comma or ] is expected"),
      (#"[1]"#, "0: [ stands where an object that begins with { is expected"),
      (#"{"x""#, "4: it ends where a colon is expected"),
      (#"{"x":"abc"#, "5: a string does not end"),
    ])
  func faults(text: String, reason: String) { #expect(fault(text) == reason) }

  @Test("Levels are bounded, and no recursion runs over them")
  func depth() {
    func nested(_ count: Int) -> String {
      #"{"x":"# + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}"
    }
    #expect(fault(nested(1_024)) == nil)
    #expect(fault(nested(1_025)) == "1029: there are more than 1024 levels within each other")
    #expect(fault(nested(1_000_000)) != nil)
  }

  @Test("Every small input is an object where a naive reading says so")
  func everySmallInput() {
    for start in ["{", "{\"a\":", "{\"a\":\""] {
      for end in ["", "}", "\"}"] {
        for middle in strings("{}[]\",:1-\\u ", upTo: 3) + strings("0.e+-1", upTo: 4) {
          let bytes = Array(start.utf8) + middle + Array(end.utf8)
          if isObject(bytes) != NaiveJSON.isObject(bytes) {
            Issue.record("\(String(decoding: bytes, as: UTF8.self))")
            return
          }
        }
      }
    }
  }

  @Test("Objects that are changed at random are valid where a naive reading says so")
  func changed() {
    var random = SeededRandom(7)
    let seed = Array(#"{"a":[1,-2.5e+3,{"b":null}],"c\n":"\u00e9\\x","d":true,"一":{}}"#.utf8)
    for _ in 0..<4_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let byte = Array("{}[]\",:1-\\e. ntu".utf8).randomElement(using: &random) ?? 0
        if Bool.random(using: &random) { bytes[place] = byte } else { bytes.remove(at: place) }
      }
      guard String(validating: bytes, as: UTF8.self) != nil else { continue }
      if isObject(bytes) != NaiveJSON.isObject(bytes) {
        Issue.record("\(String(decoding: bytes, as: UTF8.self))")
        return
      }
    }
  }

  @Test("Bug: a U+FEFF at the beginning of a JSON string was lost")
  func mark() throws {
    let bytes = Array("\"\u{FEFF}\u{FEFF}中\"".utf8)
    #expect(
      jsonString(bytes.span, isEscaped: false).unicodeScalars.map(\.value) == [
        0xFEFF, 0xFEFF, 0x4E2D,
      ])
    let escaped = Array(#""\ufeff\"\\\/\b\f\n\r\t\ud83d\ude00é""#.utf8)
    #expect(jsonString(escaped.span, isEscaped: true) == "\u{FEFF}\"\\/\u{8}\u{C}\n\r\t😀é")
  }
}
