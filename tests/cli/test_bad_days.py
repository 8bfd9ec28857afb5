# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around the program: races, kills, full disks, missing rights, foreign directories."""
import concurrent.futures
import fcntl
import json
import os
import random
import signal
import subprocess
import tempfile
import time
import unittest

import agogtest
import tap

LIMIT = 10 * 1024 * 1024
KILLS = 120
SEED = int(os.environ.get("AGOG_TEST_SEED", "20251217"))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Sizes(agogtest.Case):
    def test_an_empty_report_is_refused_unless_it_is_allowed(self):
        self.refuse(2, ["empty", "--allow-empty"], "publish", "roy", "backend", "f", "-", data=b"")
        self.assertEqual(self.publish("", "--allow-empty")["bytes"], 0)
        self.assertEqual(self.fetch("cynthia/research/f"), b"")

    def test_ten_mebibytes_are_accepted_whole_and_one_byte_more_is_refused(self):
        body = os.urandom(1024) * 10240
        self.assertEqual(self.publish(body)["bytes"], LIMIT)
        self.assertEqual(self.fetch("cynthia/research/f"), body)
        self.refuse(5, ["10485760", "10 MiB", "split"], "publish", "roy", "backend", "f", "-",
                    data=body + b"x")
        self.refuse(3, "nothing is published", "fetch", "roy/backend/f")

    def test_one_line_of_ten_million_bytes_and_100000_headings_are_stored(self):
        for body in (b"a" * 10_000_000, b"# h\n\ntext\n" * 100_000):
            self.publish(body, deliverable=("jen", "frontend", "big"))
            self.assertEqual(self.fetch("jen/frontend/big"), body)

    def test_bytes_that_are_not_utf8_come_back_as_they_are(self):
        body = bytes(range(256)) * 100
        self.publish(body)
        self.assertEqual(self.fetch("cynthia/research/f"), body)
        self.assertTrue(self.json("fetch", "cynthia/research/f")["binary"])


class Races(agogtest.Case):
    def test_of_two_publishers_on_one_base_one_wins(self):
        self.publish("one")
        for attempt in range(5):
            base = self.publish(f"base {attempt}")["rev"]
            both = [self.start("publish", "cynthia", "research", "f", "-", "--base", base,
                               stdin=subprocess.PIPE) for _ in range(2)]
            for number, process in enumerate(both):
                process.stdin.write(b"%d of attempt %d" % (number, attempt))
                process.stdin.close()
            codes = sorted(process.wait() for process in both)
            for process in both:
                process.stdout.close()
                process.stderr.close()
            self.assertEqual(codes, [0, 4])

    def test_sixteen_processes_lose_nothing_and_store_nothing_twice(self):
        self.agog("init")

        def publish(number):
            shared = number % 2 == 0
            feature = "shared" if shared else f"own-{number}"
            return self.publish(f"report {number}", deliverable=("roy", "backend", feature))["ref"]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            refs = list(pool.map(publish, range(48)))
        self.assertEqual(len(set(refs)), 48)
        for number, ref in enumerate(refs):
            self.assertEqual(self.fetch(ref), b"report %d" % number)
        history = self.json("history", "roy/backend/shared")
        revisions = [row["rev"] for row in history]
        # On a server publishers are not one behind the other: who loses a race leaves his number.
        if agogtest.BUS == "embedded":
            self.assertEqual(revisions, list(range(1, 25)))
        self.assertEqual(len(revisions), 24)
        self.assertEqual(revisions, sorted(set(revisions)))
        self.assertEqual(self.agog("doctor").count(b"PROBLEM"), 0)

    def test_a_publisher_killed_at_any_moment_leaves_all_of_its_report_or_nothing(self):
        chance = random.Random(SEED)
        self.agog("init")
        printed = 0
        for number in range(KILLS):
            body = b"%d " % number + b"x" * chance.randrange(200_000)
            path = self.root / "body"
            path.write_bytes(body)
            process = self.start("publish", "jen", "frontend", f"f{number}", path)
            time.sleep(chance.random() * 0.012)
            process.send_signal(signal.SIGKILL)
            out, _ = process.communicate()
            result = self.run_agog("fetch", f"jen/frontend/f{number}", "--quiet")
            if out.endswith(b"\n"):
                printed += 1
                self.assertEqual(self.fetch(json.loads(out)["ref"]), body, f"seed {SEED}")
            self.assertIn(result.returncode, (0, 3), f"seed {SEED}: {result.stderr}")
            if result.returncode == 0:
                self.assertEqual(result.stdout, body, f"seed {SEED}")
        self.assertEqual(self.agog("doctor").count(b"PROBLEM"), 0)
        self.assertLess(printed, KILLS, "no kill came in time: nothing was tested")

    @agogtest.local_store("a server has no lock")
    def test_a_held_store_is_waited_for_and_its_holder_named(self):
        self.agog("init")
        with open(self.home / "LOCK", "r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            lock.truncate()
            lock.write("agog serve, process 4711, since yesterday\n")
            lock.flush()
            self.refuse(8, ["in use by", "4711"], "ls", "--lock-wait", 100)
            waiting = self.start("ls")
            self.assertIsNone(waiting.poll())
        out, err = waiting.communicate(timeout=30)
        self.assertEqual((waiting.returncode, out), (0, b""), err)


class Places(agogtest.Case):
    @agogtest.local_store("a server is always there")
    def test_a_missing_store_is_told_with_the_remedy(self):
        self.refuse(3, ["no agog store", "agog init"], "ls")

    @agogtest.local_store("a directory")
    def test_a_directory_that_is_no_store_is_left_alone(self):
        self.home.mkdir()
        (self.home / "letter.txt").write_text("dear")
        self.refuse(7, ["is no agog store", "another directory"], "publish", "roy", "backend", "f",
                    "-", data=b"x")
        self.assertEqual(os.listdir(self.home), ["letter.txt"])

    @agogtest.local_store("a file")
    def test_a_file_in_place_of_the_store_is_told(self):
        self.home.write_text("a file")
        self.refuse(7, "it is a file", "ls")

    @agogtest.local_store("its format")
    def test_a_store_of_a_newer_format_is_not_touched(self):
        self.agog("init")
        line = "agog store, format 99"
        (self.home / "FORMAT").write_text(f"{line}, checksum {crc32c(line.encode()):08x}\n")
        self.refuse(7, "newer", "ls")
        self.refuse(7, "newer", "publish", "roy", "backend", "f", "-", data=b"x")

    @agogtest.local_store("its disk")
    @unittest.skipIf(os.geteuid() != 0, "only root can make a small disk")
    def test_a_full_disk_damages_nothing_and_work_goes_on_when_there_is_space(self):
        self.home.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "agog-test",
                                  str(self.home)], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"no tmpfs here: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.home)], check=False)
        stored = []
        result = None
        for number in range(64):
            body = os.urandom(1 << 20)
            result = self.run_agog("publish", "roy", "backend", f"f{number}", "-", data=body)
            if result.returncode != 0:
                break
            stored.append((f"roy/backend/f{number}", body))
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertEqual(result.stderr.count(b"\n"), 1)
        self.assertGreater(len(stored), 3)
        for ref, body in stored:
            self.assertEqual(self.fetch(ref, "--no-receipt"), body)
        subprocess.run(["mount", "-o", "remount,size=64m", str(self.home)], check=True)
        self.publish("after", deliverable=("roy", "backend", "after"))
        self.assertEqual(self.fetch("roy/backend/after"), b"after")
        for ref, body in stored:
            self.assertEqual(self.fetch(ref), body)
        # That a disk of 64 MiB is small is a problem too, and the only one.
        problems = [line for line in self.run_agog("doctor").stdout.splitlines()
                    if line.startswith(b"PROBLEM")]
        self.assertTrue(all(b" disk " in line for line in problems), problems)

    @agogtest.local_store("its rights")
    @unittest.skipIf(os.geteuid() != 0, "needs root to become somebody else")
    def test_missing_rights_are_told_and_nothing_is_lost(self):
        self.publish("mine")
        self.root.chmod(0o755)
        self.home.chmod(0o700)
        result = self.run_agog("ls", user=65534)
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertEqual(result.stderr.count(b"\n"), 1)
        self.assertIn(b"Permission denied", result.stderr)
        self.assertEqual(self.fetch("cynthia/research/f"), b"mine")

    def test_output_that_nobody_takes_is_an_error_of_one_line(self):
        self.publish("x" * 100_000)
        with open("/dev/full", "wb") as full:
            process = self.start("fetch", "cynthia/research/f", stdout=full)
            _, error = process.communicate()
        self.assertEqual(process.returncode, 6)
        self.assertEqual(error.count(b"\n"), 1)


class Retention(agogtest.Case):
    def test_an_expired_revision_says_when_and_why_it_went(self):
        self.publish("old")
        self.agog("stream", "update", "agog_features_research", "--max-age", "1s", "--dupe-window",
                  "1s")
        deadline = time.monotonic() + 30
        while self.run_agog("fetch", "cynthia/research/f").returncode == 0:
            self.assertLess(time.monotonic(), deadline, "it never expired")
        self.refuse(3, ["@1 is gone", "published 20", "expired 20", "--max-age"], "fetch",
                    "cynthia/research/f@1")
        self.assertEqual(self.publish("new")["rev"], 2)

    def test_a_pinned_revision_outlives_every_limit(self):
        body = b"# Kept\n\n## Part\n\nfor good\n"
        self.publish(body)
        self.agog("pin", "cynthia/research/f@1")
        self.agog("stream", "purge", "agog_features_research", "--force")
        self.assertEqual(self.fetch("cynthia/research/f@1"), body)
        self.assertEqual(self.fetch("cynthia/research/f#part"), b"## Part\n\nfor good\n")
        self.assertEqual(self.text("pin"), "cynthia/research/f@1\n")


class Damage(agogtest.Case):
    @agogtest.local_store("its files")
    def test_any_flipped_byte_of_the_format_file_closes_nothing(self):
        self.publish("kept")
        path = self.home / "FORMAT"
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            self.assertEqual(self.fetch("cynthia/research/f", "--no-receipt"), b"kept")
        self.assertIn(b"FORMAT", self.run_agog("doctor").stdout)
        self.agog("init")
        self.assertEqual(path.read_bytes(), whole)

    @agogtest.local_store("its files")
    def test_a_flipped_byte_costs_one_report_and_doctor_names_it(self):
        bodies = {f"f{number}": b"%d " % number * 500 for number in range(5)}
        for feature, body in bodies.items():
            self.publish(body, deliverable=("roy", "backend", feature))
        segment = next((self.home / "streams" / "agog_features_backend").glob("*.seg"))
        data = bytearray(segment.read_bytes())
        data[data.index(b"2 2 2 2 ")] ^= 0x01
        segment.write_bytes(data)
        self.refuse(7, ["damaged|checksum", "agog_features_backend|seg"], "fetch", "roy/backend/f2")
        for feature, body in bodies.items():
            if feature != "f2":
                self.assertEqual(self.fetch(f"roy/backend/{feature}"), body)
        result = self.run_agog("doctor")
        self.assertEqual(result.returncode, 12)
        self.assertIn(b"message 3 is damaged", result.stdout)


if __name__ == "__main__":
    tap.main()
