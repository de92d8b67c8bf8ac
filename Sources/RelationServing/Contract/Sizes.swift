/// What a server may tell of a model's sizes. Products of such numbers are buffers and loops here.
enum SizeBounds {
  /// The longest sentence of a bundle's `config.json`, and so of its exports.
  static let tokens = 2...65_536
  /// The predicates of a bundle's `config.json`.
  static let predicates = 1...100_000
  /// One dimension of any tensor, K and T too.
  static let dimension = 1...1 << 24
  /// Requests in flight, whatever instances and servers are told.
  static let inFlight = 1...1_024
  /// Requests in flight that a caller may choose.
  static let chosenInFlight = 1...4_096
}

/// The product of sizes, none of them negative; `Int.max` instead of an overflow.
func saturatingProduct(_ factors: Int...) -> Int { saturatingProduct(factors) }

func saturatingProduct(_ factors: [Int]) -> Int {
  if factors.contains(0) { return 0 }
  return factors.reduce(1) { product, factor in
    let (result, overflow) = product.multipliedReportingOverflow(by: factor)
    return overflow ? .max : result
  }
}

/// The sum of two sizes; `Int.max` instead of an overflow.
func saturatingSum(_ a: Int, _ b: Int) -> Int {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
