# SPDX-License-Identifier: Apache-2.0
"""What black-box tests of the program share: a store of its own for each case, and the program.

With AGOG_TEST_BUS=nats each case has a nats-server of its own instead of a store, with
AGOG_TEST_BUS=serve an `agog serve` that holds the store, which the program finds by itself. The
cases that are about the local store (`local_store`) are skipped then.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUS = os.environ.get("AGOG_TEST_BUS", "embedded")
NATS_SERVER = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
AGOG = str(pathlib.Path(os.environ.get("AGOG_TEST_BUILD_ROOT", "build")).resolve() / "agog")


def local_store(why):
    """For a case that means the store in a directory, not whatever the program works on."""
    return unittest.skipIf(BUS != "embedded", f"about the local store: {why}")


class NatsServer:
    """A nats-server on the loopback at a free port, with its store at `root`/`store`."""

    def __init__(self, root, settings="", program=(NATS_SERVER,), store="nats"):
        self.root, self.settings, self.port = pathlib.Path(root), settings, -1
        self.program, self.store = program, store
        self.process = None
        self.start()

    def start(self):
        """Starts it, at the port that it had when it ran before, and waits until it is ready."""
        config = self.root / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{self.port}"\nmax_payload: 11MB\n'
                          f'jetstream {{ store_dir: "{self.root}/{self.store}" }}\n{self.settings}\n')
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([*self.program, "-c", str(config)], stderr=subprocess.PIPE,
                                        text=True)
        for line in self.process.stderr:
            port = re.search(r"client connections on 127\.0\.0\.1:(\d+)", line)
            if port:
                self.port = int(port.group(1))
            if "Server is ready" in line:
                return
            if not line:
                break
        raise RuntimeError(f"nats-server did not start: {line}")

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="agog-cli-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.home = self.root / "store"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("AGOG_", "NATS_"))}
        self.environment["AGOG_HOME"] = str(self.home)
        self.environment["XDG_CACHE_HOME"] = str(self.root / "cache")
        if BUS == "nats":
            self.use_nats()
        elif BUS == "serve":
            self.use_serve()

    def use_nats(self, settings=""):
        if NATS_SERVER is None:
            self.skipTest("nats-server is not installed (tools/install-deps test installs it)")
        server = NatsServer(self.root, settings)
        self.addCleanup(server.stop)
        self.environment["NATS_URL"] = server.url
        return server

    def use_serve(self, settings=""):
        server = NatsServer(self.root, settings, (AGOG, "serve"), "store")
        self.addCleanup(server.stop)
        return server

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
