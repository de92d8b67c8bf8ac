// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "spo", path: "../..")],
  targets: [
    .executableTarget(
      name: "spo-bench",
      dependencies: [
        .product(name: "BLAS", package: "spo"),
        .product(name: "DocumentIO", package: "spo"),
        .product(name: "EmbeddedEngine", package: "spo"),
        .product(name: "GlobalPointer", package: "spo"),
        .product(name: "Inference", package: "spo"),
        .product(name: "RelationBundle", package: "spo"),
        .product(name: "RelationExtraction", package: "spo"),
        .product(name: "WordPiece", package: "spo"),
      ]),
    .executableTarget(
      name: "client-bench",
      dependencies: [
        .product(name: "Inference", package: "spo"),
        .product(name: "RelationServing", package: "spo"),
        .product(name: "Triton", package: "spo"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
