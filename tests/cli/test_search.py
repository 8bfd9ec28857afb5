# SPDX-License-Identifier: Apache-2.0
"""Searching all reports from the command line."""
import concurrent.futures
import json

import agogtest
import tap


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
        found = [path for path in self.root.rglob("catalog.db*") if path.is_file()]
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
        self.refuse(2, "--since takes a time", "search", "rate", "--since", "soon")

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

    def test_nothing_found_and_nothing_asked_are_told(self):
        result = self.run_agog("search", "zzzz")
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertIn(b"nothing matches", result.stderr)
        self.assertEqual(self.json("search", "zzzz")["hits"], [])
        self.refuse(2, "has no word", "search", "")

    def test_a_catalog_that_is_deleted_or_damaged_is_made_anew(self):
        before = self.refs("rate")
        for damage in [lambda path: path.unlink(),
                       lambda path: path.write_bytes(b"no database at all" * 300),
                       lambda path: path.write_bytes(path.read_bytes()[:5000]),
                       lambda path: path.write_bytes(b"")]:
            for path in self.catalog():
                damage(path)
            self.assertEqual(self.refs("rate"), before)

    def test_many_searches_at_once_agree(self):
        for path in self.root.rglob("catalog.db*"):
            path.unlink()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: json.dumps(self.refs("rate")), range(16)))
        self.assertEqual(len(set(answers)), 1, answers)


if __name__ == "__main__":
    tap.main()
