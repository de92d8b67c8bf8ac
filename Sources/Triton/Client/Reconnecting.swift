extension TritonClient {
  /// Tries lost connections for inferences anew at once, however long the core would wait.
  package func reconnect() { inferChannel.resetConnectBackoff() }
}
