"""Peak memory of `spo extract` on many lines against a thousand; the tiny test model, so that
the pass takes minutes. Argument: the number of lines (default one million)."""

import subprocess
import sys
import tempfile

from common import ROOT

BAR_MB = 50
BUNDLE = ROOT / "Tests/EmbeddedEngineTests/Fixtures/global"
LINE = "一二三四五六七八九十甲乙丙丁\n"


def peak_mb(lines):
    """Peak resident memory of a run over `lines` lines, and checks that each came out."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as source:
        source.writelines(LINE for _ in range(lines))
        source.flush()
        command = [str(ROOT / ".build/release/spo"), "extract", "--quiet", "--threshold", "50"]
        command += ["--bundle", str(BUNDLE)]
        script = [sys.executable, "-c", CHILD, source.name, str(lines), *command]
        return int(subprocess.run(script, stdout=subprocess.PIPE, check=True).stdout)


# A child of its own, since the peak that the system keeps is that of all children together.
CHILD = """
import resource, subprocess, sys
run = subprocess.Popen([*sys.argv[3:], sys.argv[1]], stdout=subprocess.PIPE)
count = sum(chunk.count(b"\\n") for chunk in iter(lambda: run.stdout.read(1 << 20), b""))
assert run.wait() == 0 and count == int(sys.argv[2]), (count, sys.argv[2])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def main():
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    few, many = peak_mb(1_000), peak_mb(lines)
    print(f"memory: {few} MB for 1000 lines, {many} MB for {lines}, each line out")
    print(
        f"memory: {many - few} MB more (bar {BAR_MB} MB) {'ok' if many - few <= BAR_MB else 'short'}"
    )
    sys.exit(many - few > BAR_MB)


if __name__ == "__main__":
    main()
