// What a user of an extractor names: triples, the engine's errors, bundles, the tokenizer.
@_exported public import GlobalPointer
@_exported public import Inference
@_exported public import RelationBundle
@_exported public import WordPiece
