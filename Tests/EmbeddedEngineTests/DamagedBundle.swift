import Foundation
import RelationBundle
import Testing

@testable import EmbeddedEngine

/// Loads a copy of a fixture after `damage` has been done to its directory.
func loadDamaged(_ damage: (URL) throws -> Void) throws {
  let copy = try Fixture("global").copy()
  defer { try? FileManager.default.removeItem(at: copy) }
  try damage(copy)
  _ = try EmbeddedEngine(bundle: ModelBundle(directory: copy))
}

/// Expects that the damage is told in all these words.
func expectDamage(
  naming words: [String], _ damage: (URL) throws -> Void,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(sourceLocation: sourceLocation) {
    try loadDamaged(damage)
  } throws: { error in
    words.allSatisfy { "\(error)".contains($0) }
  }
}

/// A damage that edits the header of the weights.
func rewriteHeader(
  _ edit: @escaping (inout [String: [String: Any]]) -> Void
) -> (URL) throws -> Void {
  { directory in
    let file = directory.appendingPathComponent("model.safetensors")
    let data = try Data(contentsOf: file)
    let length = Int(data[0]) | Int(data[1]) << 8
    var header =
      try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]]
      ?? [:]
    edit(&header)
    let text = try JSONSerialization.data(withJSONObject: header)
    var out = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    out += text
    out += data[(8 + length)...]
    try out.write(to: file)
  }
}
