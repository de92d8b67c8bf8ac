# shellcheck shell=bash
set -euo pipefail

# What training, export, server and their tests need. One Python environment for all (PyTorch takes
# 5 GB): the server's models run in it too.
serving_environment() {
  local candidate
  command -v python3 >/dev/null || require_packages python3
  for candidate in python3 python3.12 python3.11; do
    # Scripts/python/pyproject.toml says why only these.
    "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null || continue
    [ -e .env/serve/.wanted ] || require_disk 8000
    lock
    BASE_PYTHON=$candidate python_environment serve --requirement Scripts/python/requirements.txt
    unlock
    return
  done
  fail "expected Python 3.11 or 3.12 as python3, python3.12 or python3.11; got $(python3 --version 2>&1)"
}

# Two programs may be started at once: the first sets up, the others wait for it.
lock() {
  mkdir -p .env
  exec 9>.env/serve.lock
  flock 9
}
unlock() { exec 9>&-; }

# run_module MODULE ARGUMENT...: in place of this script, in the folder that it was started in, whose
# own modules must not be taken for ours.
run_module() {
  local here=$PWD
  cd "$ROOT"
  serving_environment
  cd "$here"
  PYTHONSAFEPATH=1 exec "$PYTHON" -m "$@"
}

# A Triton server for CPUs, from a wheel that carries it. Its only backend is Python; ours for ONNX
# and TorchScript are written in it, in the package spo_serve.
TRITON=.env/triton
TRITON_WHEEL=nvidia-pytriton==0.7.0
triton_server() {
  lock
  fetch_triton_server
  triton_backends
  unlock
}

fetch_triton_server() {
  local version stub
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
    fail "$TRITON_WHEEL has no Python backend for Python $version, only for $(cd "${stub%/*/*}" && echo *); use one of those"
  mv "$TRITON/wheel/pytriton/tritonserver/backends/python" "$stub" "$TRITON/backends/"
  mv "$TRITON/backends/triton_python_backend_stub" "$TRITON/backends/python/"
  chmod +x "$TRITON/wheel/pytriton/tritonserver/bin/tritonserver" "$TRITON/backends/python/triton_python_backend_stub"
  ldconfig -p | grep -q "libpython$version.so" || require_packages "libpython$version"
  printf '%s' "$TRITON_WHEEL $version" >"$TRITON/.wanted"
}

# Triton knows a backend by its folder and the file model.py in it; ours names the module of the package.
# Its Python heeds no PYTHONPATH, but looks in the folder of the Python backend.
triton_backends() {
  local pair folder line
  [ -e "$TRITON/backends/python/spo_serve" ] ||
    ln -sfn ../../../../Scripts/python/spo_serve "$TRITON/backends/python/spo_serve"
  for pair in onnxruntime:onnx_session pytorch:torch_script; do
    folder=$TRITON/backends/${pair%:*}
    line="from spo_serve.backends.${pair#*:} import TritonPythonModel"
    [ "$(cat "$folder/model.py" 2>/dev/null)" != "$line" ] || continue
    rm -rf "$folder"
    mkdir "$folder"
    printf '%s\n' "$line" >"$folder/model.py"
  done
}
