# SPDX-License-Identifier: Apache-2.0
"""What tests written in Python share: unittest cases reported as TAP, and a directory to play in."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"


class Case(unittest.TestCase):
    """A test with an empty directory of its own as self.root."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="agog-tools-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def write(self, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def run_tool(self, *command, **options):
        return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              check=False, timeout=120, **options)

    def assert_says(self, result, text):
        self.assertIn(text, result.stdout + result.stderr)


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.broken = []  # what failed inside subTest of the case under way

    def startTest(self, test):
        super().startTest(test)
        self.broken = []

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.broken.append((subtest, err))

    def stopTest(self, test):
        super().stopTest(test)
        if self.broken:
            self.line(False, test)
        for subtest, err in self.broken:
            self.explain(f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def line(self, ok, test, suffix=""):
        self.number += 1
        name = test.id().split(".")[-1].removeprefix("test_").replace("_", " ")
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{suffix}", flush=True)

    def addSuccess(self, test):
        self.line(True, test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, f" # SKIP {reason}")

    def fail_with(self, test, error):
        self.line(False, test)
        self.explain(self._exc_info_to_string(error, test))

    @staticmethod
    def explain(text):
        for line in text.splitlines():
            print(f"# {line}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail_with(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.fail_with(test, err)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
