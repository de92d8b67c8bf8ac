import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "spo_semantic"))
from contract import TritonPythonModel  # noqa: F401
