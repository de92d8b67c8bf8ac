// Named by `EmbeddedEngine.Configuration`, so that importing EmbeddedEngine is enough for its users.
@_exported public import enum BLAS.Precision
