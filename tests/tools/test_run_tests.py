# SPDX-License-Identifier: Apache-2.0
import json
import os

import tap

# Stands in for meson: lists the tests of a plan, and "runs" them by writing the log of it.
MESON = """#!/bin/sh
plan=$(dirname "$0")/plan
case "$1" in
introspect) cat "$plan/tests.json" ;;
test)
    mkdir -p "$3/meson-logs"
    cp "$plan/testlog.json" "$3/meson-logs/testlog.json"
    shift 4; echo "$@" >"$plan/asked" ;;
esac
"""


def record(name, result, stdout="", returncode=0):
    return {"name": name, "result": result, "stdout": stdout, "stderr": "",
            "returncode": returncode}


class RunTests(tap.Case):
    def run_with(self, records, *options, tests=None):
        """The result of run-tests over the log, and what it said."""
        tests = tests or [{"name": r["name"], "suite": ["agog:base"]} for r in records]
        (self.root / "build").mkdir(exist_ok=True)
        self.write("bin/meson", MESON, 0o755)
        self.write("bin/plan/tests.json", json.dumps(tests))
        self.write("bin/plan/testlog.json", "".join(json.dumps(r) + "\n" for r in records))
        path = f"{self.root}/bin{os.pathsep}{os.environ['PATH']}"
        return self.run_tool(tap.TOOLS / "run-tests", *options, self.root / "build",
                             env={**os.environ, "PATH": path})

    def expect(self, last_line, code, records, **options):
        result = self.run_with(records, **options)
        self.assertEqual(result.stdout.splitlines()[-1], last_line, result.stdout)
        self.assertEqual(result.returncode, code)
        self.assertEqual((self.root / "build/test-count").read_text(), last_line + "\n")
        return result

    def test_cases_are_counted_and_not_programs(self):
        self.expect("4 passed, 0 failed", 0, [
            record("a", "OK", "1..3\nok 1 - x\nok 2 - y\nok 3 - z\n# ok - group\n"),
            record("b", "OK")])

    def test_a_failed_case_is_counted_named_and_shown(self):
        result = self.expect("1 passed, 1 failed", 1, [
            record("a", "FAIL", "1..2\nok 1 - x\nnot ok 2 - the disk is full\n# why\n", 1)])
        self.assertIn("# why", result.stdout)
        self.assertIn("a: the disk is full", result.stdout)

    def test_a_program_that_dies_owes_its_remaining_cases(self):
        self.expect("1 passed, 2 failed", 1, [record("a", "ERROR", "1..3\nok 1 - x\n", -11)])

    def test_a_program_that_fails_after_its_last_case_has_failed(self):
        self.expect("1 passed, 1 failed", 1, [record("a", "FAIL", "1..1\nok 1 - x\n", 1)])

    def test_skips_are_counted_apart(self):
        self.expect("1 passed, 0 failed, 2 skipped", 0, [
            record("a", "OK", "1..2\nok 1 - x\nok 2 # SKIP no corpus\n"),
            record("b", "SKIP", returncode=77)])

    def test_a_program_by_exit_code_counts_one(self):
        self.expect("1 passed, 2 failed", 1, [
            record("a", "OK"), record("b", "FAIL", returncode=1), record("c", "TIMEOUT")])

    def test_no_test_is_a_failure(self):
        self.expect("0 passed, 0 failed", 1, [])
        self.expect("0 passed, 0 failed, 1 skipped", 1, [record("a", "SKIP")])

    def test_a_test_without_a_result_is_a_failure(self):
        self.expect("1 passed, 1 failed", 1, [record("a", "OK")], tests=[
            {"name": "a", "suite": ["agog:base"]}, {"name": "b", "suite": ["agog:base"]}])

    def test_long_suites_run_only_when_named(self):
        tests = [{"name": "a", "suite": ["agog:base"]}, {"name": "b", "suite": ["agog:crash-long"]}]
        self.run_with([record("a", "OK")], tests=tests)
        self.assertEqual((self.root / "bin/plan/asked").read_text().split()[-1], "a")
        self.run_with([record("b", "OK")], "--suite", "crash-long", tests=tests)
        self.assertEqual((self.root / "bin/plan/asked").read_text().split()[-1], "b")


if __name__ == "__main__":
    tap.main()
