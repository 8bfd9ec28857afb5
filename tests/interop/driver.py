# SPDX-License-Identifier: Apache-2.0
"""Runs a program of client cases against `agog serve`, and against nats-server where the machine has
one, so that a wrong expectation shows.

    driver.py PROGRAM [ARGUMENT...]

The program gets the server's URL as its last argument and prints TAP with its plan first; it skips
by itself what its server is too old for. A line "!server WORD" asks the driver to kill, start or
restart the server on the same port; the answer is the line "done" on the program's standard input.
What it prints is passed on with the server's name in front of each case.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import natstest

CASE = re.compile(r"^(ok|not ok) (\d+)(?: - )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
CONFIGURATION = """
listen: "127.0.0.1:{port}"
max_payload: 16777216
jetstream {{ store_dir: "{store}", max_file_store: 100GB, max_memory_store: 1GB }}
"""


class Reference:
    """Debian's nats-server, with the same handles as natstest.Server."""

    def __init__(self, folder, program):
        self.folder = folder
        self.program = program
        self.log_path = folder / "nats.log"
        self.port = self.free_port()
        self.process = None
        self.start()

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def start(self):
        path = self.folder / "nats.conf"
        path.write_text(CONFIGURATION.format(port=self.port, store=self.folder / "nats"))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([self.program, "-c", str(path)], stdout=log,
                                            stderr=subprocess.STDOUT)
        end = time.monotonic() + natstest.WAIT_SECONDS
        while b"Server is ready" not in self.log_path.read_bytes():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"nats-server did not start: {self.log()}")
            time.sleep(0.01)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait(natstest.WAIT_SECONDS)

    def stop(self):
        self.process.terminate()
        return self.process.wait(natstest.WAIT_SECONDS)


def environment():
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("AGOG_") or name.startswith("AGOG_TEST_")}
    return kept


def ours(folder):
    return natstest.Server(folder, environment=environment())


def servers():
    """The servers to test, as (name, what starts one in a directory)."""
    chosen = os.environ.get("AGOG_TEST_SERVER", "")
    found = [("agog", ours)]
    program = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program:
        found.append(("nats-server", lambda folder: Reference(folder, program)))
    return [pair for pair in found if chosen in ("", pair[0])]


def obey(server, word):
    if word in ("kill", "restart"):
        server.kill()
    if word in ("start", "restart"):
        server.start()


class Merged:
    """One TAP stream of several programs' streams, each known to have the same plan."""

    def __init__(self, runs):
        self.runs = runs
        self.base = 0
        self.planned = None
        self.failures = 0

    def line(self, name, line):
        plan = PLAN.match(line)
        case = CASE.match(line)
        if plan and self.planned is None:
            self.planned = int(plan.group(1))
            line = f"1..{self.planned * self.runs}"
        elif plan:
            return
        elif case:
            self.failures += case.group(1) == "not ok"
            line = f"{case.group(1)} {self.base + int(case.group(2))} - {name}: {case.group(3)}"
        print(line, flush=True)

    def end(self):
        self.base += self.planned or 0


def talk(program, server, name, merged):
    """Passes on what the program prints, and does what it asks of the server."""
    try:
        for line in program.stdout:
            if line.startswith("!server "):
                obey(server, line.split()[1])
                program.stdin.write("done\n")
                program.stdin.flush()
            else:
                merged.line(name, line.rstrip("\n"))
        return program.wait() == 0
    finally:
        program.kill()
        program.wait()


def run(command, name, start, merged):
    before = merged.failures
    with tempfile.TemporaryDirectory(prefix="agog-interop-") as folder:
        server = start(pathlib.Path(folder).resolve())
        try:
            program = subprocess.Popen([*command, f"nats://127.0.0.1:{server.port}"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env={**os.environ, "AGOG_TEST_SERVER_NAME": name})
            good = talk(program, server, name, merged) or merged.failures > before
        finally:
            alive = server.process.poll() is None
            server.kill()
        merged.failures += not (good and alive)
        if merged.failures > before:
            print("".join(f"# {line}\n" for line in server.log().splitlines()[-60:]), end="")
    merged.end()


def main():
    command = sys.argv[1:]
    needs_npm = any(word.endswith(".mjs") for word in command)
    if needs_npm and not pathlib.Path(os.environ.get("AGOG_TEST_NPM", ""), ".installed").exists():
        print("1..0 # SKIP tools/install-npm has not installed the clients")
        return 0
    found = servers()
    merged = Merged(len(found))
    for name, start in found:
        run(command, name, start, merged)
    return 1 if merged.failures else 0


if __name__ == "__main__":
    sys.exit(main())
