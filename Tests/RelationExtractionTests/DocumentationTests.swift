import Foundation
import Testing

@Suite struct DocumentationTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func `The example in the documentation is the one that is compiled`() throws {
    let compiled = try text("Tests/RelationExtractionTests/ServiceExample.swift")
    let body = compiled.split(separator: "\n").drop { !$0.hasPrefix("func") }.dropFirst()
      .dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(body.count >= 5)
    for path in ["README.md", "Sources/RelationExtraction/RelationExtractor.swift"] {
      let document = try text(path)
      for line in body { #expect(document.contains(line), "\(path) lacks: \(line)") }
    }
  }
}
