import Foundation
import Testing

@testable import Texts

@Suite struct JSONValueTests {
  private func value(_ text: String) throws -> JSONValue { try JSONValue(Array(text.utf8)) }

  /// The value written again, with each kind visible.
  private func shown(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .number(let number): "~\(number)"
    case .string(let text):
      "'" + text.unicodeScalars.map { "\($0.value)" }.joined(separator: " ") + "'"
    case .array(let values): "[" + values.map(shown).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\($0.name)=\(shown($0.value))" }.joined(separator: ",") + "}"
    }
  }

  @Test(arguments: [
    (#" {"a": [1, -2.5e1, true, null], "b": {}} "#, "{a=[1,~-25.0,true,null],b={}}"),
    ("[]", "[]"), ("9223372036854775807", "9223372036854775807"),
    ("9223372036854775808", "~9.223372036854776e+18"), ("1e999", "~inf"), ("-0", "0"),
    (#""\"\\\/\b\f\n\r\t""#, "'34 92 47 8 12 10 13 9'"), (#""\u00e9\ud83d\ude00""#, "'233 128512'"),
    ("\"\u{FEFF}a\u{FEFF}\"", "'65279 97 65279'"), (#""\ufeff\ufeffa""#, "'65279 65279 97'"),
    ("\"\u{2028}\u{7F}\"", "'8232 127'"),
  ])
  func `Every code point and number is kept as it was written`(_ text: String, _ wanted: String)
    throws
  {
    #expect(shown(try value(text)) == wanted)
  }

  @Test(arguments: [
    ("", "expected a value, got the end at byte 0"), ("{} x", "expected the end, got x at byte 3"),
    ("[1,]", "expected a value, got ] at byte 3"),
    (#"{"a" 1}"#, "expected a colon, got 1 at byte 5"),
    ("{a: 1}", "a member's name in quotes"), ("[1 2]", "expected a comma or ], got 2 at byte 3"),
    (#"{"a": 1 "b": 2}"#, "expected a comma or }"), ("01", "a number begins with a digit"),
    ("-", "a number begins with a digit"), ("1.", "expected a digit, got the end"),
    ("1e+", "expected a digit"), ("NaN", "expected a value, got N"), ("tru", "expected true"),
    ("\"a\nb\"", "no control character within a string, got 0xA at byte 2"),
    ("\"a", "a closing quote"), (#""\x""#, "no such escape at byte 1"),
    (#""\u12g4""#, "four hexadecimal digits"),
    (#""\ud800x""#, "half of a surrogate pair at byte 1"),
    (#""\udc00\ud800""#, "half of a surrogate pair"),
    (#""\ud800\u0041""#, "half of a surrogate pair"),
  ])
  func `What is no JSON is named with its place`(_ text: String, _ words: String) {
    let error = #expect(throws: JSONError.self) { try value(text) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func `Bytes that are no UTF-8 are refused within strings and between them`() {
    for bytes: [UInt8] in [
      [0x22, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC3, 0x22], [0xFF], [0x31, 0x80],
    ] {
      #expect(throws: JSONError.self) { try JSONValue(bytes) }
    }
  }

  @Test func `Bug: deep nesting exhausted the stack; it is refused`() throws {
    let deep = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try value(deep(JSONValue.deepest))
    for depth in [JSONValue.deepest + 1, 1_000_000] {
      let error = #expect(throws: JSONError.self) { try value(deep(depth)) }
      #expect(error?.reason.contains("deeper") == true)
    }
  }

  @Test func `Of a repeated name the last value counts`() throws {
    let object = try value(#"{"a": 1, "b": 2, "\u0061": 3}"#)
    #expect(object["a"]?.double == 3)
    #expect(object.members?.map(\.name) == ["b", "a"])
    #expect(try value(#"{"é": 1, "e\u0301": 2}"#)["é"]?.double == 1)
  }

  @Test func `Random values are read as Foundation reads them`() throws {
    var random = SystemRandomNumberGenerator()
    func made(_ depth: Int) -> Any {
      switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
      case 0: NSNull()
      case 1: Bool.random(using: &random)
      case 2: Int.random(in: -1000...1000, using: &random)
      case 3: String((0..<Int.random(in: 0...6)).map { _ in "a\"\\\n中😀é\u{1}".randomElement()! })
      case 4: (0..<Int.random(in: 0...4)).map { _ in made(depth + 1) }
      default:
        Dictionary((0..<3).map { _ in ("k\(Int.random(in: 0...9))", made(depth + 1)) }) { $1 }
      }
    }
    func same(_ value: JSONValue, _ other: Any) -> Bool {
      switch value {
      case .null: return other is NSNull
      case .bool(let flag): return other as? Bool == flag
      case .integer(let number): return other as? Int == number
      case .number(let number): return other as? Double == number
      case .string(let text): return (other as? String)?.isExactly(text) == true
      case .array(let values):
        guard let list = other as? [Any] else { return false }
        return values.count == list.count && zip(values, list).allSatisfy(same)
      case .object:
        guard let object = other as? [String: Any], let members = value.members else {
          return false
        }
        return members.count == object.count
          && members.allSatisfy { member in
            object[member.name].map { same(member.value, $0) } ?? false
          }
      }
    }
    for _ in 0..<300 {
      let object = made(0)
      let data = try JSONSerialization.data(withJSONObject: [object])
      #expect(
        same(try JSONValue(Array(data)), [object]), "\(String(decoding: data, as: UTF8.self))")
    }
  }
}

@Suite struct ExactTextTests {
  @Test func `Canonically equal texts are two`() {
    #expect(ExactText("é") != ExactText("e\u{301}"))
    #expect(Set(["é", "e\u{301}", "é", "", ""].map(ExactText.init)).count == 3)
    #expect("e\u{301}".isExactly("e\u{301}") && !"a".isExactly("ab") && "".isExactly(""))
  }

  @Test func `One text holds another by code points`() {
    #expect("上海迪士尼".holds("迪士尼") && "上海".holds("上海") && "a".holds(""))
    #expect(!"上海".holds("上海迪士尼") && !"e\u{301}".holds("é") && !"".holds("a"))
  }
}
