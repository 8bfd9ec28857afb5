# SPDX-License-Identifier: Apache-2.0
"""Questions as the next agent would ask them, of 66 reports of the corpus, each with the sections that
answer it: reading by --budget and --for has to bring all of these. The questions were written from
the sections alone, before anybody looked at what is found."""
import json
import pathlib

import tap
import test_corpus
from test_corpus import CORPUS, MANIFEST, unittest

QUESTIONS = json.loads((pathlib.Path(__file__).parent / "questions.json").read_text())
BUDGET = 1500
FOUND_PERCENT_MIN = 85


@unittest.skipUnless(MANIFEST, f"there is no corpus at {CORPUS}")
class Questions(test_corpus.Store):
    def read(self, ref, *options):
        return self.agog("fetch", ref, *options, "--no-receipt", "--quiet")

    def test_the_section_that_answers_is_found_within_the_budget(self):
        found, missed = 0, []
        for row in QUESTIONS:
            ref = self.refs[row["file"]]
            answers = [self.read(ref, "--section", section).decode().strip()
                       for section in row["sections"]]
            printed = self.read(ref, "--budget", BUDGET, "--for", row["question"]).decode()
            self.assertLessEqual(self.tokens(printed), BUDGET, row)
            whole = all(answer in printed for answer in answers)
            found += whole
            if not whole:
                missed.append(f"{ref} {row['sections']}: {row['question']}")
        percent = 100 * found / len(QUESTIONS)
        print(f"# {found} of {len(QUESTIONS)} answers found: {percent:.1f} %", flush=True)
        for line in missed:
            print(f"# missed: {line}", flush=True)
        self.assertGreaterEqual(percent, FOUND_PERCENT_MIN)

    def test_the_set_is_large_and_its_sections_exist(self):
        self.assertGreaterEqual(len({row["file"] for row in QUESTIONS}), 60)
        files = {row["file"] for row in MANIFEST}
        self.assertEqual({row["file"] for row in QUESTIONS} - files, set())


if __name__ == "__main__":
    tap.main()
