# SPDX-License-Identifier: Apache-2.0
"""282 reports that agents really wrote, through the real program: stored, read back, counted, handed
on, and found again by the questions of those who come next. Skips itself without the corpus."""
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import tap

CORPUS = pathlib.Path(os.environ.get("AGOG_TEST_CORPUS", "/nonexistent"))
AGOG = pathlib.Path(os.environ.get("AGOG_TEST_BUILD_ROOT", "build")) / "agog"
NOTICE_TOKENS_MAX = 200


def load_manifest():
    path = CORPUS / "manifest.jsonl"
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted(rows, key=lambda row: (row["agent"], row["task"], row["feature"],
                                         row["revision"]))


MANIFEST = load_manifest()


class Store(unittest.TestCase):
    """One store for all cases: publishing everything is the first half of each of them."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="agog-corpus-")
        cls.home = pathlib.Path(cls.folder.name) / "store"
        cls.register_agents()
        cls.refs = {}     # file -> ref with revision
        cls.notices = {}  # ref -> notice as printed
        for row in MANIFEST:
            notice = cls.agog("publish", row["agent"], row["task"], row["feature"],
                              CORPUS / row["file"]).decode()
            ref = json.loads(notice)["ref"]
            cls.refs[row["file"]] = ref
            cls.notices[ref] = notice

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def agog(cls, *arguments, data=None):
        command = [str(AGOG), *map(str, arguments), "--home", str(cls.home)]
        result = subprocess.run(command, input=data, capture_output=True, check=False, timeout=120)
        if result.returncode != 0:
            raise AssertionError(f"{command}: {result.returncode}\n{result.stderr.decode()}")
        return result.stdout

    @classmethod
    def register_agents(cls):
        types = collections.defaultdict(set)
        for row in MANIFEST:
            types[row["agent"]].add(row["task"])
        for agent, names in sorted(types.items()):
            options = [word for name in sorted(names) for word in ("--type", name)]
            cls.agog("agent", "add", agent, *options)

    @classmethod
    def tokens(cls, text):
        return int(cls.agog("tokens", data=text.encode()).split()[0])


@unittest.skipUnless(MANIFEST, f"there is no corpus at {CORPUS}")
class Corpus(Store):
    def test_every_report_is_read_back_to_the_byte(self):
        for row in MANIFEST:
            body = self.agog("fetch", self.refs[row["file"]], "--no-receipt", "--quiet")
            self.assertEqual(hashlib.sha256(body).hexdigest(), row["sha256"], row["file"])

    def test_every_report_has_the_tokens_that_an_independent_counter_found(self):
        for row in MANIFEST:
            notice = json.loads(self.notices[self.refs[row["file"]]])
            self.assertEqual(notice["tokens"], row["o200k_tokens"], row["file"])
            self.assertEqual(notice["bytes"], row["bytes"], row["file"])

    def test_no_notice_costs_more_than_200_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, notice in enumerate(self.notices.values()):
                path = pathlib.Path(folder) / f"{number}.json"
                path.write_text(notice, encoding="utf-8")
                files.append(path)
            counts = [int(line.split()[0])
                      for line in self.agog("tokens", *files).splitlines()[:len(files)]]
        self.assertLessEqual(max(counts), NOTICE_TOKENS_MAX)

    def latest_by_feature(self):
        features = collections.defaultdict(dict)
        for row in MANIFEST:
            if row["agent"] != "unknown":
                features[row["feature"]][row["agent"]] = row
        return features

    def handoffs(self):
        """For every feature with at least three agents: two of its reports, and who is next."""
        for feature, rows in sorted(self.latest_by_feature().items()):
            if len(rows) >= 3:
                agents = sorted(rows, key=lambda agent: (agent != "cynthia", agent != "sylvia",
                                                         agent))
                yield feature, rows[agents[0]], rows[agents[1]], agents[2]

    def test_spawning_by_notice_saves_97_percent_of_inlining_two_reports(self):
        inline = notices = 0
        for _, first, second, _ in self.handoffs():
            inline += first["o200k_tokens"] + second["o200k_tokens"]
            notices += sum(self.tokens(self.notices[self.refs[row["file"]]])
                           for row in (first, second))
        saved = 100 * (1 - notices / inline)
        print(f"# at spawn: {inline} tokens inline, {notices} in notices, {saved:.1f} % saved",
              flush=True)
        self.assertGreaterEqual(saved, 97)

    def read_as_the_next_stage(self, ref, reader):
        """The outline, then the best sections for the work at hand: what a reader with a shell does."""
        title = json.loads(self.agog("fetch", ref, "--outline", "--json", "--as", reader))["title"]
        self.agog("fetch", ref, "--budget", 700, "--for", f"{title} requirements and decisions",
                  "--as", reader)

    def test_end_to_end_the_ledger_shows_80_percent_saved(self):
        inline = saved = 0
        for feature, first, second, reader in self.handoffs():
            refs = [self.refs[row["file"]] for row in (first, second)]
            for ref in refs:
                self.read_as_the_next_stage(ref, reader)
            inputs = [word for ref in refs for word in ("--input", ref)]
            types = json.loads(self.agog("agent", "ls", "--json"))
            kind = next(row["types"][0] for row in types if row["name"] == reader)
            self.agog("publish", reader, kind, feature, "-", *inputs,
                      data=f"# {feature}\n\nMade from two reports.\n".encode())
            ledger = json.loads(self.agog("ledger", feature, "--json"))
            self.assertEqual(ledger["inline_tokens"],
                             first["o200k_tokens"] + second["o200k_tokens"])
            self.assertEqual(ledger["inputs_unread"], 0)
            self.assertGreater(ledger["read_tokens"], 0)
            inline += ledger["inline_tokens"]
            saved += ledger["saved_tokens"]
        percent = 100 * saved / inline
        print(f"# end to end: {inline} tokens inline, {saved} saved, {percent:.1f} %", flush=True)
        self.assertGreaterEqual(percent, 80)


if __name__ == "__main__":
    tap.main()
