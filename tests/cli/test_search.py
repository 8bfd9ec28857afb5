# SPDX-License-Identifier: Apache-2.0
"""Searching all reports from the command line."""
import concurrent.futures
import os
import pathlib
import random
import resource
import shlex
import shutil
import signal
import subprocess

import agogtest
import tap

SEED = int(os.environ.get("AGOG_TEST_SEED", "20251217"))


class Search(agogtest.Case):
    def setUp(self):
        super().setUp()
        self.publish("# Orders\n\n## Rate limits\n\nThe order desk takes ten calls a second.\n\n"
                     "## Storage\n\nRows are kept for a year.\n",
                     deliverable=("cynthia", "research", "orders"))
        self.publish("# Payments\n\nThe rate limit of the bank is lower.\n\n## Migration\n\n"
                     "All migrations ran twice.\n", deliverable=("roy", "backend", "payments"))

    def hits(self, *arguments):
        return self.json("search", *arguments)["hits"]

    def refs(self, *arguments):
        return [hit["ref"] for hit in self.hits(*arguments)]

    def catalog(self):
        """The files of the index: at home, or on a server in the user's cache."""
        place = self.root / "cache" if agogtest.BUS == "nats" else self.home
        found = [path for path in place.rglob("catalog.db*") if path.is_file()]
        self.assertTrue(found)
        return found

    def test_each_hit_is_a_section_that_fetch_takes(self):
        hits = self.hits("migrate")
        self.assertEqual(len(hits), 1)
        self.assertIn("*migrations*", hits[0]["snippet"])
        self.assertEqual(self.fetch(hits[0]["ref"]), b"## Migration\n\nAll migrations ran twice.\n")

    def test_every_word_must_match_and_the_best_comes_first(self):
        self.assertEqual(self.refs("rate", "limit")[0].split("@")[0], "cynthia/research/orders")
        self.assertEqual(len(self.refs("rate", "limit")), 2)
        self.assertEqual(self.refs("rate", "limit", "bank")[0].split("@")[0],
                         "roy/backend/payments")
        self.assertEqual(self.refs("rate -bank")[0].split("@")[0],
                         "cynthia/research/orders")

    def test_filters_narrow_and_their_typos_are_told(self):
        self.assertEqual(len(self.refs("rate", "--agent", "roy")), 1)
        self.assertEqual(len(self.refs("rate", "--type", "research")), 1)
        self.assertEqual(len(self.refs("rate", "--feature", "pay*")), 1)
        self.assertEqual(len(self.refs("rate", "--since", "1h")), 2)
        self.assertEqual(self.refs("rate", "--until", "2020-01-01"), [])
        self.refuse(3, "no agent \"royy\".*roy", "search", "rate", "--agent", "royy")
        self.refuse(3, "no agent has the task type \"reserch\"", "search", "rate", "--type",
                    "reserch")
        self.refuse(3, "agent roy has no task type \"research\"", "search", "rate", "--agent", "roy",
                    "--type", "research")
        self.refuse(2, "--since takes a time", "search", "rate", "--since", "soon")
        self.refuse(2, "no option \"--agnt\"", "search", "rate", "--agnt", "roy")

    def test_what_is_published_later_is_found_and_old_revisions_on_request(self):
        self.publish("# Orders\n\n## Rate limits\n\nTwenty calls.\n",
                     deliverable=("cynthia", "research", "orders"))
        self.assertEqual([ref for ref in self.refs("rate", "limits") if "orders" in ref],
                         ["cynthia/research/orders@2#1"])
        self.assertEqual(len([ref for ref in self.refs("rate", "limits", "--all-revisions")
                              if "orders" in ref]), 2)

    def test_the_answer_has_the_size_that_was_asked_for(self):
        for i in range(30):
            self.publish(f"# T{i}\n\nword {i}\n", deliverable=("roy", "backend", f"f{i}"))
        self.assertEqual(len(self.hits("word")), 10)
        first, second = self.refs("word", "--limit", 7), self.refs("word", "--limit", 7,
                                                                   "--offset", 7)
        self.assertEqual(len(set(first + second)), 14)
        self.assertEqual(self.refs("word", "--limit", 14), first + second)

    def test_what_is_left_out_is_told_with_the_command_for_it(self):
        result = self.run_agog("search", "rate limit", "--limit", 1, "--feature", "*")
        self.assertEqual(result.stdout.count(b"\n"), 1)
        said = result.stderr.decode()
        self.assertIn("1 of 2 sections shown; more: agog search", said)
        again = shlex.split(said.split("more: agog ")[1])
        both = self.text("search", "rate limit")
        self.assertEqual(result.stdout.decode() + self.text(*again), both)
        answer = self.json("search", "rate limit", "--limit", 1)
        self.assertEqual((answer["matches"], len(answer["hits"])), (2, 1))
        self.assertEqual(self.refs(*shlex.split(answer["next"])[2:]),
                         self.refs("rate limit")[1:])
        self.assertNotIn("next", self.json("search", "rate limit"))
        beyond = self.run_agog("search", "rate", "--offset", 9)
        self.assertEqual((beyond.returncode, beyond.stdout), (0, b""))
        self.assertIn(b"only 2 sections match", beyond.stderr)

    def test_the_same_question_has_the_same_answer(self):
        for form in ([], ["--json"]):
            self.assertEqual(self.agog("search", "rate", *form), self.agog("search", "rate", *form))

    def test_one_line_a_hit_whatever_a_report_says(self):
        self.publish("# \x1b[31mRed\ttitle\n\nzebra\x1b[0m and\ttab\r and \x07 bell\n",
                     deliverable=("roy", "backend", "ugly"))
        self.publish("# " + "long " * 3000 + "\n\nzebra " * 3000,
                     deliverable=("roy", "backend", "long"))
        lines = self.agog("search", "zebra").split(b"\n")
        self.assertEqual((len(lines), lines[-1]), (3, b""))
        for line in lines[:-1]:
            self.assertEqual(line.count(b"\t"), 3, line)
            self.assertLess(len(line), 2000)
            self.assertFalse([byte for byte in line if byte < 32 and byte != 9], line)

    def test_nothing_found_and_nothing_asked_are_told(self):
        result = self.run_agog("search", "zzzz")
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertEqual(result.stderr, b"agog: nothing matches\n")
        self.assertEqual(self.json("search", "zzzz")["hits"], [])
        self.refuse(2, "has no word", "search", "")
        self.refuse(2, "only excludes", "search", "--", "-rate")
        self.refuse(2, "too few arguments", "search")
        self.refuse(2, "--limit takes 1 to 1000", "search", "rate", "--limit", 0)
        self.refuse(2, "up to 1000 are allowed", "search", "x" * 1001)

    def test_a_catalog_that_is_deleted_or_damaged_is_made_anew(self):
        before = self.agog("search", "rate")
        for said, damage in [(b"", lambda path: path.unlink()),
                             (b"made anew", lambda path: path.write_bytes(b"no database" * 900)),
                             (b"", lambda path: path.write_bytes(b""))]:
            for path in self.catalog():
                damage(path)
            result = self.run_agog("search", "rate")
            self.assertEqual(result.stdout, before)
            self.assertEqual(result.stderr, said and b"agog: the index was damaged and has been "
                                                     b"made anew\n")
            result = self.run_agog("search", "rate")
            self.assertEqual((result.stdout, result.stderr), (before, b""))

    def test_any_part_of_a_catalog_may_be_missing(self):
        before = self.agog("search", "rate")
        for size in (1, 100, 4096, 5000, 20000):
            for path in self.catalog():
                path.write_bytes(path.read_bytes()[:size])
            self.assertEqual(self.agog("search", "rate"), before, size)

    def test_where_no_index_can_be_kept_one_is_made_for_the_search(self):
        before = self.agog("search", "rate")
        place = self.catalog()[0].parent
        shutil.rmtree(place)
        place.write_text("in the way")
        result = self.run_agog("search", "rate")
        self.assertEqual((result.returncode, result.stdout), (0, before))
        self.assertIn(b"the index cannot be kept in ", result.stderr)
        notes = self.json("search", "rate")["notes"]
        self.assertEqual([note for note in notes if "cannot be kept" in note], notes)
        self.assertEqual(len(notes), 1)
        self.publish("# More\n\nA rate of ours.\n", deliverable=("roy", "backend", "more"))
        self.assertEqual(len(self.refs("rate")), 3)

    def test_a_full_disk_is_told_and_publishing_goes_on(self):
        def with_little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        words = " ".join(f"w{number * 2654435761 % 2**32:x}" for number in range(100_000))
        self.agog("search", "rate")
        self.publish("# Large\n\n" + words, deliverable=("roy", "backend", "large"))
        result = self.run_agog("search", "rate", preexec_fn=with_little_room)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count(b"\n"), 2)
        self.assertRegex(result.stderr, b"the answer may lack reports: .* are not indexed: ")
        self.publish("# Small\n\nrate\n", deliverable=("roy", "backend", "small"))
        self.assertEqual(len(self.refs("rate")), 3)
        self.assertEqual(len(self.refs("w0")), 1)

    def test_many_searches_at_once_agree_whatever_became_of_the_index(self):
        right = self.refs("rate")
        self.assertEqual(len(right), 2)
        for attempt in range(10):
            for path in self.catalog():
                if attempt % 2 == 0:
                    path.unlink()
                else:
                    path.write_bytes(b"no database" * 900)
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: self.json("search", "rate"), range(8)))
            for answer in answers:
                self.assertEqual([hit["ref"] for hit in answer["hits"]], right, answer)
                self.assertLessEqual(set(answer["notes"]),
                                     {"the index was damaged and has been made anew"})

    def test_searches_and_publishes_at_once_lose_nothing(self):
        def work(number):
            if number % 2 == 0:
                return self.publish(f"# P{number}\n\nzebra\n",
                                    deliverable=("roy", "backend", f"p{number}"))["ref"]
            return self.refs("zebra", "--limit", 100) and None

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            published = [ref + "#0" for ref in pool.map(work, range(40)) if ref]
        self.assertEqual(len(published), 20)
        self.assertEqual(sorted(self.refs("zebra", "--limit", 100)), sorted(published))

    def test_a_search_that_is_killed_leaves_a_catalog_that_goes_on(self):
        chance = random.Random(SEED)
        for number in range(60):
            self.publish(f"# P{number}\n\n" + f"zebra number{number}\n\n## S\n\nmore\n\n" * 50,
                         deliverable=("roy", "backend", f"p{number}"))
        self.agog("search", "rate")
        for attempt in range(25):
            if attempt % 5 == 0:
                for path in self.catalog():
                    path.unlink()
            process = self.start("search", "zebra")
            try:
                process.wait(timeout=chance.random() * 0.06)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
            self.assertEqual(self.json("search", f"number{attempt}")["matches"], 50,
                             f"seed {SEED}, attempt {attempt}")

    @agogtest.local_store("its index stands in the cache")
    def test_the_index_of_a_server_is_not_at_home(self):
        self.agog("search", "rate")
        self.assertFalse((self.root / "cache").exists())
        other = pathlib.Path(self.root / "other")
        other.mkdir()
        server = self.use_nats()
        self.environment["AGOG_HOME"] = str(other)
        self.agog("init", "--url", server.url)
        self.agog("search", "rate", "--url", server.url)
        self.assertEqual(list(other.iterdir()), [])
        self.assertEqual(len(list((self.root / "cache").rglob("catalog.db"))), 1)


if __name__ == "__main__":
    tap.main()
