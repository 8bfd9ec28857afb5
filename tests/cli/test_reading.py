# SPDX-License-Identifier: Apache-2.0
"""Reading by parts, waiting, watching and the accounts of both."""
import json
import re
import signal
import subprocess

import agogtest
import tap

SECTIONS = 12


def report(change=""):
    parts = ["# The report\n\n## Summary\n\nTwo findings. Both matter.\n\n"]
    for number in range(1, SECTIONS + 1):
        parts.append(f"## Part {number}\n\nAbout topic{number} and its neighbours. " * 1 +
                     f"The limit is {number * 10} rows.\n\n### Detail {number}\n\n" +
                     f"Row {number} of the table.\n\n```sh\n# not a heading {number}\n```\n\n")
    return "".join(parts) + change


class Parts(agogtest.Case):
    REF = "cynthia/research/f"

    def setUp(self):
        super().setUp()
        self.body = report()
        self.publish(self.body)

    def test_the_outline_lists_two_levels_with_exact_tokens(self):
        lines = self.fetch(self.REF, "--outline").decode().splitlines()
        self.assertEqual(lines[0].split(" (")[0], "#0 The report")
        self.assertEqual(len(lines), SECTIONS + 2)
        for line in lines[1:]:
            number, tokens = re.fullmatch(r"#(\S+) .* \((\d+)(?:, \d+ below)?\)", line).groups()
            section = self.fetch(self.REF, "--section", number)
            self.assertEqual(self.tokens(section), int(tokens))
        deep = self.fetch(self.REF, "--outline", "--depth", 3).decode().splitlines()
        self.assertEqual(len(deep), 2 * SECTIONS + 2)

    def test_sections_joined_are_the_report(self):
        joined = b"".join(self.fetch(self.REF, "--section", number)
                          for number in range(SECTIONS + 2))
        self.assertEqual(joined, self.body.encode())

    def test_a_section_is_found_by_number_slug_title_and_in_the_ref(self):
        wanted = self.fetch(self.REF, "--section", 4)
        self.assertTrue(wanted.startswith(b"## Part 3\n"))
        for way in (["--section", "part-3"], ["--section", "Part 3"]):
            self.assertEqual(self.fetch(self.REF, *way), wanted)
        self.assertEqual(self.fetch(self.REF + "#4"), wanted)
        self.refuse(3, ["no section", "Part"], "fetch", self.REF, "--section", "Part 33")

    def test_lines_and_bytes_are_ranges_of_the_report(self):
        lines = self.body.encode().splitlines(keepends=True)
        self.assertEqual(self.fetch(self.REF, "--lines", "3:5"), b"".join(lines[2:5]))
        self.assertEqual(self.fetch(self.REF, "--bytes", "10:20"), self.body.encode()[10:20])
        self.refuse(3, "past the end|lines", "fetch", self.REF, "--lines", "9999:")
        self.refuse(2, "lines|range|first", "fetch", self.REF, "--lines", "5:3")

    def test_grep_says_in_which_section_each_line_stands(self):
        text = self.fetch(self.REF, "--grep", "limit is 3?0").decode()
        self.assertEqual(re.findall(r"^#(\S+)", text, re.MULTILINE), ["4"])
        self.assertIn(":About topic3", text)
        self.refuse(3, "no line matches", "fetch", self.REF, "--grep", "nowhere")
        self.refuse(2, "grep|pattern|expression|bracket|parenthes", "fetch", self.REF, "--grep", "(")

    def test_a_budget_is_never_exceeded_and_cursors_reach_every_byte(self):
        for budget in (64, 100, 333, 1000):
            seen, cursor, answers = b"", [], 0
            while True:
                result = self.run_agog("fetch", self.REF, "--budget", budget, "--for",
                                       "limit of topic7 rows", *cursor)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertLessEqual(self.tokens(result.stdout), budget)
                seen += result.stdout
                answers += 1
                self.assertLess(answers, 400)
                after = re.search(rb"--after (\S+)", result.stderr)
                if after is None:
                    break
                cursor = ["--after", after.group(1).decode()]
            for line in self.body.splitlines():
                self.assertIn(line.encode(), seen, budget)

    def test_the_best_section_for_a_question_comes_first(self):
        text = self.fetch(self.REF, "--budget", 60, "--for", "topic9").decode()
        self.assertIn("topic9", text)

    def test_pages_joined_are_the_report(self):
        pages, number = b"", 1
        while True:
            result = self.run_agog("fetch", self.REF, "--page", number, "--budget", 120)
            if result.returncode == 3:
                break
            self.assertLessEqual(self.tokens(result.stdout), 120)
            pages += result.stdout
            number += 1
        self.assertGreater(number, 3)
        self.assertEqual(pages, self.body.encode())

    def test_every_read_says_its_tokens_and_the_command_for_the_rest(self):
        result = self.run_agog("fetch", self.REF, "--budget", 100, "--for", "it's topic3")
        told = result.stderr.decode()
        self.assertIn(f"agog: {self.tokens(result.stdout)} of {self.tokens(self.body.encode())} tok",
                      told)
        command = told.split("more: agog ")[1].strip()
        again = subprocess.run(["sh", "-c", f"exec {agogtest.AGOG} {command}"],
                               env=self.environment, capture_output=True, check=False)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertNotEqual(again.stdout, result.stdout)

    def test_the_same_call_gives_the_same_answer(self):
        for options in (["--outline"], ["--budget", 200, "--for", "rows"], ["--grep", "limit"]):
            self.assertEqual(self.fetch(self.REF, *options), self.fetch(self.REF, *options))

    def test_what_changed_is_told_by_section(self):
        self.publish(report("## New part\n\nadded\n").replace("limit is 50", "limit is 55"))
        changes = {row["title"]: row["change"]
                   for row in self.json("diff", self.REF + "@1", "@2")["sections"]}
        self.assertEqual(changes["New part"], "added")
        self.assertEqual(changes["Part 5"], "changed")
        text = self.fetch(self.REF, "--since", 1).decode()
        self.assertIn("limit is 55", text)
        self.assertNotIn("Part 4", text)

    def test_receipts_and_the_ledger_count_what_was_read(self):
        self.agog("fetch", self.REF, "--section", 3, "--as", "roy")
        read = self.tokens(self.fetch(self.REF, "--section", 3, "--no-receipt"))
        self.publish("# Built\n", "--input", self.REF, deliverable=("roy", "backend", "f"))
        ledger = self.json("ledger", "f")
        notice = self.agog("notice", self.REF).rstrip(b"\n")
        self.assertEqual(ledger["inline_tokens"], self.tokens(self.body.encode()))
        self.assertEqual(ledger["notice_tokens"], self.tokens(notice))
        self.assertEqual(ledger["read_tokens"], read)
        self.assertEqual(ledger["saved_tokens"], ledger["inline_tokens"] - ledger["notice_tokens"]
                         - ledger["read_tokens"])
        trace = self.json("trace", "roy/backend/f")
        self.assertEqual([row["ref"] for row in trace], ["roy/backend/f@1", self.REF + "@1"])
        self.assertEqual(trace[1]["reads"][0]["reader"], "roy")
        self.assertEqual(trace[1]["reads"][0]["what"], "#3")

    def test_an_unread_input_is_named(self):
        self.publish("# Built\n", "--input", self.REF, deliverable=("roy", "backend", "f"))
        result = self.run_agog("trace", "roy/backend/f")
        self.assertIn(b"NEVER READ", result.stdout)

    def test_an_export_has_every_file_and_a_manifest(self):
        self.publish("# Built\n", deliverable=("roy", "backend", "f"))
        self.publish("# Other\n", deliverable=("roy", "backend", "other"))
        target = self.root / "out"
        self.agog("export", "f", target)
        manifest = json.loads((target / "manifest.json").read_text())
        self.assertEqual(sorted(row["ref"] for row in manifest),
                         ["cynthia/research/f@1", "roy/backend/f@1"])
        for row in manifest:
            self.assertEqual((target / row["file"]).read_bytes(), self.fetch(row["ref"]))

    def test_a_hook_publishes_the_final_message(self):
        event = {"hook_event_name": "SubagentStop", "last_assistant_message": "# Final\n\nDone.\n"}
        self.agog("hook", "sylvia", "critique", "f", data=json.dumps(event).encode())
        self.assertEqual(self.fetch("sylvia/critique/f"), b"# Final\n\nDone.\n")
        transcript = self.root / "t.jsonl"
        lines = [{"message": {"role": "assistant", "content": [{"type": "text", "text": "first"}]}},
                 {"message": {"role": "user", "content": "go on"}},
                 {"message": {"role": "assistant", "content": [{"type": "text", "text": "last"}]}},
                 {"type": "summary"}]
        transcript.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.agog("hook", "sylvia", "critique", "g",
                  data=json.dumps({"transcript_path": str(transcript)}).encode())
        self.assertEqual(self.fetch("sylvia/critique/g"), b"last")


class Waiting(agogtest.Case):
    def test_what_is_there_already_counts_at_once(self):
        self.publish("x")
        notice = json.loads(self.agog("wait", "cynthia/research/f", "--timeout", "5s"))
        self.assertEqual(notice["ref"], "cynthia/research/f@1")

    def test_what_comes_later_wakes_the_waiter(self):
        self.agog("init")
        waiter = self.start("wait", "roy/backend/f", "sylvia/critique/f", "--timeout", "60s")
        self.publish("a", deliverable=("sylvia", "critique", "f"))
        self.publish("b", deliverable=("roy", "backend", "other"))
        self.publish("c", deliverable=("roy", "backend", "f"))
        out, err = waiter.communicate(timeout=60)
        self.assertEqual(waiter.returncode, 0, err)
        refs = {json.loads(line)["ref"] for line in out.splitlines()}
        self.assertEqual(refs, {"roy/backend/f@1", "sylvia/critique/f@1"})

    def test_any_quorum_after_and_status_are_conditions(self):
        self.publish("x", "--status", "failed")
        refs = ["cynthia/research/f", "roy/backend/f"]
        self.agog("wait", *refs, "--any", "--timeout", "5s")
        self.agog("wait", *refs, "--quorum", 1, "--timeout", "5s")
        self.refuse(2, "quorum", "wait", *refs, "--quorum", 3)
        for condition in (["--after", 1], ["--status", "complete"]):
            result = self.run_agog("wait", refs[0], *condition, "--timeout", "100ms")
            self.assertEqual(result.returncode, 11)

    def test_the_time_is_up_with_its_own_exit_code_and_what_is_missing(self):
        self.agog("init")
        self.refuse(11, ["time was up", "roy/backend/f"], "wait", "roy/backend/f", "--timeout",
                    "100ms")

    def test_a_watch_shows_every_event_once_and_goes_on_from_its_cursor(self):
        self.agog("init")
        watch = self.start("watch", "--json", "--count", 6)
        # The watch has begun when the first of these is shown; the others follow.
        for number in range(6):
            self.publish(f"{number}", deliverable=("roy", "backend", f"f{number}"))
        shown, cursor = [], None
        while len(shown) < 6:
            line = watch.stdout.readline()
            if not line:
                break
            event = json.loads(line)
            shown.append(event["feature"])
            cursor = event["cursor"]
            if event["feature"] == "f5":
                break
        watch.kill()
        watch.communicate()
        self.assertEqual(shown, [f"f{number}" for number in range(6 - len(shown), 6)])
        self.publish("later", deliverable=("sylvia", "critique", "g"))
        event = self.json("watch", "--after", cursor, "--count", 1, "--timeout", "20s")
        self.assertEqual(event["ref"], "sylvia/critique/g@1")

    def test_no_event_is_lost_or_doubled_when_writers_are_killed(self):
        self.agog("init")
        self.publish("start", deliverable=("roy", "backend", "first"))
        start = "agog_features_roy=0"
        for number in range(30):
            writer = self.start("publish", "roy", "backend", f"k{number}", "-",
                                stdin=subprocess.PIPE)
            writer.stdin.write(b"x" * 1000)
            writer.stdin.close()
            if number % 3 == 0:
                writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
            writer.stderr.close()
        there = sorted(row["ref"] for row in self.json("ls", "roy"))
        out = self.run_agog("watch", "roy", "--json", "--after",
                            start.replace("roy", "backend"), "--timeout", "300ms")
        events = [json.loads(line)["ref"] for line in out.stdout.splitlines()]
        self.assertEqual(sorted(events), there)
        self.assertEqual(len(events), len(set(events)))
        self.assertGreaterEqual(len(events), 21)


if __name__ == "__main__":
    tap.main()
