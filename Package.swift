// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let strictTests: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "spo",
  products: [
    .library(name: "WordPiece", targets: ["WordPiece"]),
    .library(name: "GlobalPointer", targets: ["GlobalPointer"]),
    .library(name: "EmbeddedEngine", targets: ["EmbeddedEngine"]),
    .library(name: "RelationExtraction", targets: ["RelationExtraction"]),
    .library(name: "DocumentIO", targets: ["DocumentIO"]),
    .library(name: "BatchRuns", targets: ["BatchRuns"]),
    .library(name: "RelationBundle", targets: ["RelationBundle"]),
    .library(name: "RelationServing", targets: ["RelationServing"]),
    .library(name: "Triton", targets: ["Triton"]),
    .library(name: "GRPCChannel", targets: ["GRPCChannel"]),
    .library(name: "Inference", targets: ["Inference"]),
    .library(name: "BLAS", targets: ["BLAS"]),
    .executable(name: "spo", targets: ["spo"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // Floor 0: C, translated in headers and judged above.
    .target(name: "CWordPieceTable", cSettings: strictC),
    .target(name: "CKernels", cSettings: strictC),
    .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
    .target(name: "CSHA256", linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CStandardDescriptors", cSettings: strictC),
    .target(name: "CZstd", linkerSettings: [.linkedLibrary("zstd")]),
    .target(
      name: "CGRPC", cSettings: strictC,
      linkerSettings: [.linkedLibrary("grpc"), .linkedLibrary("gpr")]),
    .target(name: "CTritonProtocol", linkerSettings: [.linkedLibrary("protobuf-c")]),

    // Floor 1: leaves.
    .target(name: "Digest", dependencies: ["CSHA256"], swiftSettings: strict),
    .target(name: "Texts", swiftSettings: strict),
    .target(name: "BLAS", dependencies: ["COpenBLAS", "CKernels"], swiftSettings: strict),
    .target(
      name: "GRPCChannel",
      dependencies: ["CGRPC", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: strict),

    .target(
      name: "Limiting", dependencies: [.product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: strict),

    // Floor 2: the domain; the client for any model.
    .target(
      name: "WordPiece", dependencies: ["CWordPieceTable", "Texts"], swiftSettings: strict),
    .target(name: "GlobalPointer", dependencies: ["Texts"], swiftSettings: strict),
    .target(
      name: "Triton",
      dependencies: [
        "CTritonProtocol", "GRPCChannel", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // Floor 3: the seam.
    .target(name: "Inference", dependencies: ["GlobalPointer"], swiftSettings: strict),

    // Floor 4: what a model is made of.
    .target(
      name: "RelationBundle",
      dependencies: ["Digest", "GlobalPointer", "Inference", "Texts", "WordPiece"],
      swiftSettings: strict),

    // Floor 5: engines; documents in, results out.
    .target(
      name: "EmbeddedEngine",
      dependencies: [
        "BLAS", "CKernels", "GlobalPointer", "Inference", "RelationBundle", "Texts",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: strict),
    .target(
      name: "RelationServing",
      dependencies: [
        "GlobalPointer", "Inference", "Limiting", "RelationBundle", "Triton",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    .target(
      name: "DocumentIO", dependencies: ["CZlib", "CZstd", "Digest", "GlobalPointer"],
      swiftSettings: strict),

    // Floor 6: the application.
    .target(
      name: "RelationExtraction",
      dependencies: [
        "GlobalPointer", "Inference", "Limiting", "RelationBundle", "WordPiece",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "BatchRuns", dependencies: ["Digest", "DocumentIO"], swiftSettings: strict),

    .target(name: "Evaluation", dependencies: ["Texts"], swiftSettings: strict),

    // Floor 7: the command line.
    .executableTarget(
      name: "spo",
      dependencies: [
        "BLAS", "BatchRuns", "CStandardDescriptors", "DocumentIO", "EmbeddedEngine", "Evaluation",
        "GRPCChannel",
        "GlobalPointer",
        "Inference", "RelationBundle", "RelationExtraction", "RelationServing", "Texts", "Triton",
        "WordPiece",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // What the tests of several targets share.
    .target(
      name: "TestSupport", dependencies: ["DocumentIO", "GlobalPointer", "Inference", "WordPiece"],
      path: "Tests/TestSupport", swiftSettings: strictTests),
    .testTarget(name: "TextsTests", dependencies: ["Texts"], swiftSettings: strictTests),
    .testTarget(
      name: "WordPieceTests", dependencies: ["WordPiece"], resources: [.copy("Fixtures")],
      swiftSettings: strictTests),
    .testTarget(
      name: "GlobalPointerTests", dependencies: ["GlobalPointer"], swiftSettings: strictTests),
    .testTarget(
      name: "EmbeddedEngineTests",
      dependencies: [
        "BLAS", "CKernels", "Digest", "EmbeddedEngine", "GlobalPointer", "Inference",
        "RelationBundle", "TestSupport",
      ], resources: [.copy("Fixtures")], swiftSettings: strictTests),
    .testTarget(
      name: "RelationExtractionTests",
      dependencies: [
        "EmbeddedEngine", "GlobalPointer", "Inference", "Limiting", "RelationBundle",
        "RelationExtraction", "TestSupport", "WordPiece",
      ], swiftSettings: strictTests),
    // A server of a process of its own, so that tests can kill it.
    .executableTarget(
      name: "EchoServer", dependencies: ["CTritonProtocol"], path: "Tests/EchoServer",
      cSettings: strictC,
      linkerSettings: [.linkedLibrary("grpc"), .linkedLibrary("gpr")]),
    .testTarget(
      name: "GRPCChannelTests", dependencies: ["EchoServer", "GRPCChannel", "TestSupport"],
      swiftSettings: strictTests),
    // A user of the client alone: it can name nothing but what `import Triton` brings.
    .testTarget(
      name: "TritonClientTests", dependencies: ["EchoServer", "TestSupport", "Triton"],
      swiftSettings: strictTests),
    .testTarget(
      name: "TritonProtocolTests",
      dependencies: [
        "CTritonProtocol", "EchoServer", "GRPCChannel", "TestSupport", "Triton",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strictTests),
    .testTarget(
      name: "RelationServingTests",
      dependencies: [
        "EchoServer", "GRPCChannel", "GlobalPointer", "Inference", "Limiting", "RelationServing",
        "TestSupport", "Triton", .product(name: "Logging", package: "swift-log"),
        .product(name: "InMemoryLogging", package: "swift-log"),
      ],
      swiftSettings: strictTests),
    .testTarget(
      name: "DocumentIOTests", dependencies: ["DocumentIO", "GlobalPointer", "TestSupport"],
      swiftSettings: strictTests),
    .testTarget(
      name: "BatchRunsTests", dependencies: ["BatchRuns", "DocumentIO", "TestSupport"],
      swiftSettings: strictTests),
    .testTarget(
      name: "EvaluationTests", dependencies: ["Evaluation"], swiftSettings: strictTests),
    .testTarget(
      name: "CommandLineTests", dependencies: ["TestSupport", "Triton", "spo"],
      swiftSettings: strictTests),
    .testTarget(
      name: "TritonTests",
      dependencies: [
        "EmbeddedEngine", "GRPCChannel", "GlobalPointer", "Inference", "RelationBundle",
        "RelationExtraction", "RelationServing", "TestSupport", "Triton", "spo",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "InMemoryLogging", package: "swift-log"),
      ],
      exclude: [
        "Compact", "Models", "Reference/client.py", "Reference/half_mask.py", "Hostile/lies.py",
        "Hostile/logits.py", "Hostile/server.py",
      ],
      swiftSettings: strictTests),
  ],
  swiftLanguageModes: [.v6]
)
