# SPDX-License-Identifier: Apache-2.0
"""A store that agog serve holds: commands find it, outlive it, and find it again."""
import subprocess
import time

import agogtest
import tap


class Served(agogtest.Case):
    def setUp(self):
        super().setUp()
        self.server = self.use_serve()
        self.agog("init")

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def test_what_one_way_wrote_the_other_reads(self):
        self.publish("# Through the server\n", deliverable=("cynthia", "research", "a"))
        self.kill()
        self.assertEqual(self.fetch("cynthia/research/a"), b"# Through the server\n")
        self.publish("# Without it\n", deliverable=("roy", "backend", "b"))
        self.server.start()
        self.assertEqual(self.fetch("roy/backend/b"), b"# Without it\n")
        self.assertIn("nats://127.0.0.1", self.text("status"))

    def test_a_server_that_left_its_address_behind_is_nobody(self):
        self.kill()
        begun = time.monotonic()
        self.publish("# Alone\n")
        self.assertIn("ok", self.text("doctor"))
        self.assertLess(time.monotonic() - begun, 30)

    def test_waiting_outlives_the_server_and_misses_nothing(self):
        waiting = self.start("wait", "cynthia/research/late", "roy/backend/later", "--timeout",
                             "60s")
        watching = self.start("watch", "--json", "--count", "2")
        time.sleep(0.3)
        self.kill()
        self.server.start()
        first = self.publish("# Late\n", deliverable=("cynthia", "research", "late"))
        self.kill()
        self.server.start()
        second = self.publish("# Later\n", deliverable=("roy", "backend", "later"))
        out, error = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, error)
        self.assertEqual(out.count(b"\n"), 2, out)
        for notice in [first, second]:
            self.assertIn(notice["ref"].encode(), out)
        out, error = watching.communicate(timeout=60)
        self.assertEqual(watching.returncode, 0, error)
        self.assertEqual([out.count(notice["ref"].encode()) > 0 for notice in [first, second]],
                         [True, True])

    def test_the_store_cannot_be_served_twice(self):
        result = subprocess.run([agogtest.AGOG, "serve", "-p", "-1"], env=self.environment,
                                capture_output=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 8)
        self.assertIn(b"agog serve", result.stderr)


if __name__ == "__main__":
    tap.main()
