"""Where things lie in the checkout that this package is run from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REPOSITORY = ROOT / "model_repository"
PACKAGES = ROOT / "Scripts/python"
