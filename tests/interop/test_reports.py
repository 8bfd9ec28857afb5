# SPDX-License-Identifier: Apache-2.0
"""Reports that one side wrote and the other reads: the first system's client on a server that runs,
and the program on the store itself or through the server."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import natstest
import tap

NODE, CLI = sys.argv[1:3]
REPORT = "# Größe der Suche\n\n## Summary\n\nTrigrams ✓ \"quoted\" and back\\slashed.\n\n```\ncode\n```\n"
HAS_NPM = pathlib.Path(os.environ.get("AGOG_TEST_NPM", ""), ".installed").exists()


@unittest.skipUnless(HAS_NPM, "tools/install-npm has not installed the clients")
class Reports(natstest.Case):
    def setUp(self):
        super().setUp()
        self.nats = self.server()

    def first(self, word, *names, report=None):
        """The first system's client; its standard output."""
        done = subprocess.run(
            [NODE, CLI, f"nats://127.0.0.1:{self.nats.port}", word, *names], check=False,
            input=None if report is None else report.encode(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def through_server(self, *arguments, data=None):
        return self.agog(*arguments, "--url", f"nats://127.0.0.1:{self.nats.port}", data=data)

    def test_what_the_first_client_published_is_fetched_from_the_store(self):
        made = self.first("publish", "cynthia", "research", "REQ-1", report=REPORT).strip()
        self.assertEqual(made, "agog_features_research.1")
        self.assertEqual(self.nats.stop(), 0)
        self.assertEqual(self.fetch("cynthia/research/REQ-1").decode(), REPORT)
        self.assertEqual(self.fetch(made).decode(), REPORT)
        self.assertEqual(self.fetch("cynthia/research/REQ-1", "--summary").decode(),
                         "Größe der Suche\nTrigrams ✓ \"quoted\" and back\\slashed.\n")
        self.assertIn("code", self.fetch("cynthia/research/REQ-1#summary").decode())

    def test_what_the_first_client_published_is_fetched_while_the_server_runs(self):
        self.first("publish", "roy", "backend", "REQ-2", report=REPORT)
        got = self.through_server("fetch", "roy/backend/REQ-2", "--quiet")
        self.assertEqual(got.decode(), REPORT)

    def test_what_the_first_client_published_last_before_a_kill_is_fetched(self):
        for number in range(3):
            self.first("publish", "billy", "qa", "REQ-3", report=f"# Round {number}\n")
        self.nats.kill()
        self.assertEqual(self.fetch("billy/qa/REQ-3").decode(), "# Round 2\n")
        self.assertEqual(self.fetch("billy/qa/REQ-3@1").decode(), "# Round 0\n")

    def test_what_the_program_published_as_an_envelope_the_first_client_fetches(self):
        self.nats.stop()
        self.publish(REPORT, "--envelope", deliverable=("sylvia", "critique", "REQ-4"))
        self.nats.start()
        self.assertEqual(self.first("fetch", "sylvia", "critique", "REQ-4"), REPORT)

    def test_what_the_program_publishes_through_the_server_the_first_client_fetches(self):
        notice = json.loads(self.through_server(
            "publish", "jen", "frontend", "REQ-5", "-", "--envelope", data=REPORT.encode()))
        self.assertEqual(notice["agent"], "jen")
        self.assertEqual(self.first("fetch", "jen", "frontend", "REQ-5"), REPORT)

    def test_both_sides_count_each_others_revisions(self):
        self.first("publish", "priya", "statistics", "REQ-6", report="# One\n")
        self.through_server("publish", "priya", "statistics", "REQ-6", "-", "--envelope",
                            data=b"# Two\n")
        self.first("publish", "priya", "statistics", "REQ-6", report="# Three\n")
        self.assertEqual(self.first("fetch", "priya", "statistics", "REQ-6"), "# Three\n")
        self.nats.stop()
        bodies = [self.fetch(f"priya/statistics/REQ-6@{revision}").decode() for revision in (1, 2, 3)]
        self.assertEqual(bodies, ["# One\n", "# Two\n", "# Three\n"])

    def test_a_server_serves_the_streams_that_the_program_made(self):
        self.nats.stop()
        self.agog("init")
        self.publish("# Plain\n", deliverable=("cynthia", "research", "REQ-7"))
        self.nats.start()
        client = self.nats.client()
        self.addCleanup(client.close)
        names = client.api("STREAM.NAMES")["streams"]
        self.assertIn("agog_features_research", names)
        stored = client.api("STREAM.MSG.GET.agog_features_research",
                            {"last_by_subj": "agog.deliverables.cynthia.research.REQ-7"})
        self.assertEqual(stored["message"]["seq"], 1)
        self.first("publish", "cynthia", "research", "REQ-7", report="# After\n")
        self.assertEqual(self.first("fetch", "cynthia", "research", "REQ-7"), "# After\n")


if __name__ == "__main__":
    tap.main()
