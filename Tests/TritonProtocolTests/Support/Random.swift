import TestSupport

@testable import Triton

extension SeededRandom {
  mutating func parameter() -> InferParameter {
    switch below(5) {
    case 0: .bool(flip())
    case 1: .integer(integer())
    case 2: .string(text())
    case 3: .double(double())
    default: .unsigned(next() >> below(64))
    }
  }

  mutating func parameters() -> [String: InferParameter] {
    var all: [String: InferParameter] = [:]
    for _ in 0..<below(4) { all[text()] = parameter() }
    return all
  }
}
