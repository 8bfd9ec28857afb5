# SPDX-License-Identifier: Apache-2.0
"""The commands around reports: set-up, streams, buckets, help, the demo."""
import json
import os
import re
import subprocess

import agogtest
import tap


class SetUp(agogtest.Case):
    def test_init_creates_everything_once(self):
        states = {row["stream"]: row["state"] for row in self.json("init")["streams"]}
        self.assertEqual(set(states.values()), {"created"})
        for name in ("research", "critique", "backend", "frontend", "qa", "statistics"):
            self.assertIn(f"agog_features_{name}", states)
        again = {row["state"] for row in self.json("init")["streams"]}
        self.assertEqual(again, {"ok"})

    def test_streams_have_the_limits_of_the_mission(self):
        self.agog("init")
        config = self.json("stream", "info", "agog_features_research")["config"]
        self.assertEqual(config["subjects"], ["agog.deliverables.cynthia.>"])
        self.assertEqual((config["storage"], config["retention"]), ("file", "limits"))
        self.assertEqual((config["max_msgs"], config["max_bytes"]), (10000, 1 << 30))
        self.assertEqual(config["max_age"], 7 * 86400 * 10**9)
        self.assertEqual(config["duplicate_window"], 120 * 10**9)
        self.assertGreaterEqual(config["max_msg_size"], 10 << 20)

    def test_drift_is_shown_and_mended(self):
        self.agog("init")
        self.agog("stream", "update", "agog_features_qa", "--max-msgs", 5)
        result = self.run_agog("init")
        self.assertEqual(result.returncode, 12)
        self.assertIn(b"max_msgs is 5, should be 10000", result.stdout)
        self.assertEqual(self.run_agog("doctor").returncode, 12)
        self.agog("init", "--repair")
        self.agog("doctor")

    @agogtest.local_store("where it is found")
    def test_init_here_makes_a_store_that_is_found_from_below(self):
        below = self.root / "project" / "src"
        below.mkdir(parents=True)
        del self.environment["AGOG_HOME"]
        subprocess.run([agogtest.AGOG, "init", "--here"], cwd=below.parent, env=self.environment,
                       check=True, capture_output=True)
        status = subprocess.run([agogtest.AGOG, "status", "--json"], cwd=below,
                                env=self.environment, check=True, capture_output=True)
        self.assertEqual(json.loads(status.stdout)["location"], str(below.parent / ".agog"))

    def test_status_counts_every_stream(self):
        self.publish("x")
        rows = {row["name"]: row for row in self.json("status")["streams"]}
        self.assertEqual(rows["agog_features_research"]["messages"], 1)
        self.assertEqual(rows["agog_features_research"]["agent"], "cynthia")
        self.assertEqual(rows["agog_features_qa"]["messages"], 0)


class Streams(agogtest.Case):
    def test_a_deleted_message_is_gone(self):
        self.publish("old words", deliverable=("cynthia", "research", "f"))
        self.publish("new words", deliverable=("cynthia", "research", "f"))
        self.agog("stream", "rm", "agog_features_research", "--seq", 2, "--force")
        self.refuse(3, "gone", "fetch", "cynthia/research/f@2")
        self.assertEqual(self.fetch("cynthia/research/f"), b"old words")

    @agogtest.local_store("what its files hold")
    def test_a_message_can_be_deleted_and_overwritten(self):
        self.publish("secret-words", deliverable=("cynthia", "research", "hidden-name"))
        self.agog("stream", "rm", "agog_features_research", "--seq", 1, "--erase", "--force")
        self.refuse(3, "gone", "fetch", "cynthia/research/hidden-name")
        for path in (self.home / "streams" / "agog_features_research").iterdir():
            self.assertNotIn(b"secret-words", path.read_bytes())
            self.assertNotIn(b"hidden-name", path.read_bytes())

    def test_what_removes_for_good_asks_for_force(self):
        self.publish("x")
        for command in (["purge", "agog_features_research"], ["rm", "agog_features_research"]):
            self.refuse(2, "--force", "stream", *command)
        self.agog("stream", "purge", "agog_features_research", "--keep", 1, "--force")
        self.assertEqual(self.fetch("cynthia/research/f"), b"x")

    def test_a_sealed_stream_takes_nothing_more(self):
        self.publish("x")
        self.agog("stream", "update", "agog_features_research", "--seal")
        self.refuse(4, "sealed", "publish", "cynthia", "research", "g", "-", data=b"y")
        self.assertEqual(self.fetch("cynthia/research/f"), b"x")

    def test_an_unknown_stream_is_told(self):
        self.agog("init")
        self.refuse(3, ["stream not found", "agog stream ls"], "stream", "info", "nope")


class Buckets(agogtest.Case):
    def setUp(self):
        super().setUp()
        self.agog("kv", "add", "b", "--history", 3)

    def test_values_have_revisions_and_history(self):
        for number in range(5):
            self.agog("kv", "put", "b", "key", f"value {number}")
        self.assertEqual(self.agog("kv", "get", "b", "key"), b"value 4")
        self.assertEqual([row["value"] for row in self.json("kv", "history", "b", "key")],
                         ["value 2", "value 3", "value 4"])
        self.assertEqual(self.agog("kv", "get", "b", "key", "--revision", 4), b"value 3")

    def test_a_key_is_created_once_and_updated_only_at_its_revision(self):
        self.assertEqual(self.text("kv", "create", "b", "lock", "me"), "1\n")
        self.refuse(4, "exists already", "kv", "create", "b", "lock", "you")
        self.refuse(4, "not at revision 7", "kv", "update", "b", "lock", "x", "--revision", 7)
        self.agog("kv", "update", "b", "lock", "x", "--revision", 1)
        self.agog("kv", "del", "b", "lock")
        self.refuse(3, "it was deleted", "kv", "get", "b", "lock")
        self.agog("kv", "create", "b", "lock", "again")

    def test_a_purge_takes_the_history_along(self):
        for value in "abc":
            self.agog("kv", "put", "b", "key", value)
        self.agog("kv", "purge", "b", "key")
        self.assertEqual([row["operation"] for row in self.json("kv", "history", "b", "key")],
                         ["purge"])

    def test_a_watch_shows_what_is_there_and_then_each_change(self):
        self.agog("kv", "put", "b", "one", "1")
        watch = self.start("kv", "watch", "b", "--json", "--count", 3)
        self.assertEqual(json.loads(watch.stdout.readline())["key"], "one")
        self.agog("kv", "put", "b", "two", "2")
        self.agog("kv", "del", "b", "one")
        out, err = watch.communicate(timeout=60)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([(event["key"], event["operation"]) for event in events],
                         [("two", "put"), ("one", "delete")], err)

    def test_bad_keys_and_buckets_are_refused(self):
        for key in ("a b", ".a", "a.", "\u00fc", ""):
            self.refuse(2, "bad key", "kv", "put", "b", key, "x")
        self.refuse(2, "bad bucket", "kv", "put", "a.b", "k", "x")
        self.refuse(3, "no bucket nope", "kv", "put", "nope", "k", "x")


class Texts(agogtest.Case):
    def commands(self):
        text = self.text("--help")
        return re.findall(r"^  ([a-z]+) ", text.split("Options of")[0], re.MULTILINE)

    def test_every_command_explains_itself_with_an_example(self):
        names = self.commands()
        self.assertGreater(len(names), 20)
        for name in names:
            text = self.text(name, "--help")
            self.assertIn("$ agog", text, name)
            for sub in re.findall(r"^  ([a-z]+) ", text.split("Subcommands:")[1].split("\n\n")[0],
                                  re.MULTILINE) if "Subcommands:" in text else []:
                self.assertIn(f"$ agog {name} {sub}", self.text(name, sub, "--help"))

    def test_a_bare_call_helps_and_a_wrong_one_says_where_to_look(self):
        self.assertIn("Usage: agog COMMAND", self.text())
        self.refuse(2, "agog fetch REF", "fetch")
        self.refuse(2, "one argument too many", "fetch", "a/b/c", "d")
        self.refuse(2, "--base needs a value", "publish", "a", "b", "c", "--base")
        self.refuse(2, "whole number", "publish", "cynthia", "research", "f", "-", "--base", "x",
                    data=b"x")

    def test_errors_are_json_when_asked_for(self):
        result = self.run_agog("fetch", "cynthia/research/f", "--json")
        error = json.loads(result.stderr)["error"]
        self.assertEqual((error["status"], error["exit_code"]), ("not_found", 3))

    def test_completion_scripts_name_every_command(self):
        for shell in ("bash", "zsh", "fish"):
            text = self.text("completion", shell)
            for name in self.commands():
                self.assertRegex(text, rf"\b{name}\b")
        script = self.text("completion", "bash") + (
            "\nCOMP_WORDS=(agog fe) COMP_CWORD=1; _agog; echo \"${COMPREPLY[@]}\"\n")
        result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout.strip(), "fetch")

    def test_tokens_are_counted_for_files_and_standard_input(self):
        path = self.root / "text"
        path.write_text("hello world")
        self.assertEqual(self.json("tokens", path)["tokens"], 2)
        self.assertEqual(self.tokens(b"hello world"), 2)


class Demo(agogtest.Case):
    def test_the_demo_prints_what_it_measured(self):
        demo = self.json("demo")
        self.assertFalse(os.path.exists(demo["home"]))
        for stage in demo["stages"]:
            notice = json.dumps(stage["notice"], separators=(",", ":"), ensure_ascii=False)
            self.assertEqual(self.tokens(notice.encode()), stage["notice_tokens"])
            self.assertLessEqual(stage["notice_tokens"], 200)
        roy = demo["stages"][-1]
        inputs = sum(stage["report_tokens"] for stage in demo["stages"][:-1])
        self.assertGreaterEqual(roy["prompt_tokens_inline"], inputs)
        saved = 100 * (1 - roy["prompt_tokens"] / roy["prompt_tokens_inline"])
        self.assertAlmostEqual(demo["saved_percent"], saved, places=6)
        self.assertGreater(saved, 90)

    def test_the_demo_keeps_its_store_when_asked(self):
        text = self.text("demo", "--keep")
        home = re.search(r"agog ls --home (\S+)", text).group(1)
        self.addCleanup(subprocess.run, ["rm", "-r", home], check=True)
        self.assertEqual(len(self.json("ls", "--home", home)), 3)


if __name__ == "__main__":
    tap.main()
