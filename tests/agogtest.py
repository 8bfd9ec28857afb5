# SPDX-License-Identifier: Apache-2.0
"""What black-box tests of the program share: a store of its own for each case, and the program."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

AGOG = str(pathlib.Path(os.environ.get("AGOG_TEST_BUILD_ROOT", "build")).resolve() / "agog")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="agog-cli-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.home = self.root / "store"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("AGOG_")}
        self.environment["AGOG_HOME"] = str(self.home)

    def start(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([AGOG, *map(str, arguments)], env=self.environment, **options)

    def run_agog(self, *arguments, data=None, **options):
        """Runs the program whatever it comes to."""
        return subprocess.run([AGOG, *map(str, arguments)], input=data, capture_output=True,
                              check=False, timeout=120, env=self.environment, **options)

    def agog(self, *arguments, data=None):
        """Runs the program, which must do well; its standard output as bytes."""
        result = self.run_agog(*arguments, data=data)
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result.stdout

    def text(self, *arguments, data=None):
        return self.agog(*arguments, data=data).decode()

    def json(self, *arguments, data=None):
        return json.loads(self.agog(*arguments, "--json", data=data))

    def publish(self, body, *options, deliverable=("cynthia", "research", "f")):
        if isinstance(body, str):
            body = body.encode()
        return json.loads(self.agog("publish", *deliverable, "-", *options, data=body))

    def fetch(self, ref, *options):
        return self.agog("fetch", ref, "--quiet", *options)

    def refuse(self, code, says, *arguments, data=None):
        """One line on stderr that says all of `says`, this exit code, and nothing on stdout."""
        result = self.run_agog(*arguments, data=data)
        error = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, code, error)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(error.count("\n"), 1, error)
        self.assertTrue(error.startswith("agog: "), error)
        for part in [says] if isinstance(says, str) else says:
            self.assertTrue(re.search(part, error), f"{part!r} is not said by {error!r}")

    def tokens(self, data):
        return int(self.agog("tokens", data=data).split()[0])
