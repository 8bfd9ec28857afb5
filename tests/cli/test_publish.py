# SPDX-License-Identifier: Apache-2.0
"""Publishing, notices, revisions and refs through the real program."""
import json

import agogtest
import tap

REAL_ID = "REQ-STRATEGIC-AUTO-1766527796497-SUB2-1735377300000"
BODY = b"# Title\n\n## Summary\n\nIt works. There is more.\n\n## Details\n\nText.\n"


class Publish(agogtest.Case):
    def test_a_report_comes_back_to_the_byte_under_every_form_of_its_ref(self):
        notice = self.publish(BODY)
        forms = ["cynthia/research/f", "cynthia/research/f@1", "agog://cynthia/research/f@1",
                 "agog.deliverables.cynthia.research.f", "nats://agog.deliverables.cynthia.research.f",
                 "agog_features_research.1", json.dumps(notice)]
        for form in forms:
            with self.subTest(form=form):
                self.assertEqual(self.fetch(form), BODY)

    def test_a_notice_says_what_is_stored(self):
        notice = self.publish(BODY, "--complexity", "Simple", "--files-modified", 3,
                              "--meta", "team=search")
        self.assertEqual(notice["status"], "complete")
        self.assertEqual(notice["ref"], "cynthia/research/f@1")
        self.assertEqual(notice["nats_channel"], "agog.deliverables.cynthia.research.f")
        self.assertEqual(notice["summary"], "It works. There is more.")
        self.assertEqual(notice["bytes"], len(BODY))
        self.assertEqual(notice["tokens"], self.tokens(BODY))
        self.assertEqual(notice["complexity"], "Simple")
        self.assertEqual(notice["files_modified"], 3)
        self.assertEqual(notice["metadata"], {"team": "search"})
        self.assertEqual(json.loads(self.agog("notice", "cynthia/research/f")), notice)

    def test_hostile_reports_and_names_give_notices_of_at_most_200_tokens(self):
        hostile = [("f", b"# " + b"\xf0\x9f\x98\x80" * 5000), ("f" * 200, b"x" * 100000),
                   ("\u4e2d\U00010348" * 28, "\u202e".join("abc" * 300).encode()),
                   (" ." * 100, bytes(range(256)) * 50), ("%" * 200, b'"\\' * 3000)]
        for feature, body in hostile:
            with self.subTest(feature=feature[:20]):
                text = self.agog("publish", "roy", "backend", feature, "-", data=body)
                self.assertLessEqual(self.tokens(text), 200)
                self.assertEqual(self.fetch(json.loads(text)["ref"]), body)

    def test_the_same_bytes_are_the_same_revision_and_it_says_so(self):
        self.publish(BODY)
        result = self.run_agog("publish", "cynthia", "research", "f", "-", data=BODY)
        self.assertEqual(json.loads(result.stdout)["rev"], 1)
        self.assertIn(b"revision 1 already", result.stderr)
        self.assertEqual(len(self.json("history", "cynthia/research/f")), 1)

    def test_going_back_to_earlier_bytes_is_a_new_revision(self):
        revisions = [self.publish(body)["rev"] for body in ("a", "b", "a")]
        self.assertEqual(revisions, [1, 2, 3])
        self.assertEqual(self.fetch("cynthia/research/f@1"), b"a")
        self.assertEqual(self.fetch("cynthia/research/f@2"), b"b")
        self.assertEqual(self.fetch("cynthia/research/f"), b"a")

    def test_two_features_may_have_the_same_text(self):
        self.publish(BODY, deliverable=("cynthia", "research", "one"))
        self.publish(BODY, deliverable=("cynthia", "research", "two"))
        self.assertEqual(len(self.json("ls", "cynthia")), 2)

    def test_whoever_publishes_on_an_old_base_is_told_who_came_first(self):
        self.publish("one", "--as", "first-writer")
        self.publish("two", "--base", 1, "--as", "second-writer")
        self.refuse(4, ["somebody came first", "revision 2", "second-writer", "--base 2"],
                    "publish", "cynthia", "research", "f", "-", "--base", 1, data=b"three")
        self.refuse(4, "none yet", "publish", "cynthia", "research", "g", "-", "--base", 3,
                    data=b"x")
        self.assertEqual(self.publish("three", "--base", 2)["rev"], 3)

    def test_an_idempotency_key_gives_the_first_answer_again(self):
        self.publish("one", "--id", "task-7")
        self.publish("two", "--id", "task-8")
        self.assertEqual(self.publish("one", "--id", "task-7")["rev"], 1)
        self.refuse(4, "used for other bytes", "publish", "cynthia", "research", "f", "-", "--id",
                    "task-7", data=b"other")

    def test_a_revision_is_never_given_twice_even_when_all_are_gone(self):
        self.publish("one")
        self.publish("two")
        self.agog("stream", "purge", "agog_features_research", "--force")
        self.assertEqual(self.publish("three")["rev"], 3)
        self.refuse(3, ["@1 is gone", "deleted, or made room"], "fetch", "cynthia/research/f@1")

    def test_inputs_are_pinned_and_must_be_there(self):
        self.publish("research")
        self.publish("built", "--input", "cynthia/research/f", deliverable=("roy", "backend", "f"))
        described = self.json("fetch", "roy/backend/f")
        self.assertEqual(described["inputs"], ["cynthia/research/f@1"])
        self.refuse(3, ["input", "nothing is published"], "publish", "roy", "backend", "g", "-",
                    "--input", "cynthia/research/nope", data=b"x")

    def test_the_first_systems_envelope_is_written_and_seen_through(self):
        self.publish(BODY, "--envelope")
        self.assertEqual(self.fetch("cynthia/research/f"), BODY)
        self.assertIn(b"It works", self.fetch("cynthia/research/f", "--section", "summary"))

    def test_status_and_blockers_travel_in_the_notice(self):
        notice = self.publish("x", "--status", "blocked", "--blockers", "no database")
        self.assertEqual((notice["status"], notice["blockers"]), ("blocked", "no database"))
        self.assertFalse(notice["ready_for_next_stage"])
        self.refuse(2, "status", "publish", "roy", "backend", "f", "-", "--status", "fine",
                    data=b"x")


class Names(agogtest.Case):
    LEGAL = ["a.b", "a/b", "*", ">", "a b", "%2e", "\u00fc" * 100, "x" * 200, REAL_ID, "a@2", "a#b",
             "-", "'\"", "\u4e2d\u6587"]

    def test_every_legal_feature_is_stored_under_its_own_name(self):
        for number, feature in enumerate(self.LEGAL):
            self.agog("publish", "jen", "frontend", "--", feature, "-", data=b"%d" % number)
        stored = {row["feature"]: row["ref"] for row in self.json("ls", "jen")}
        self.assertEqual(sorted(stored), sorted(self.LEGAL))
        for number, feature in enumerate(self.LEGAL):
            self.assertEqual(self.fetch(stored[feature]), b"%d" % number)

    def test_a_real_id_is_its_own_subject(self):
        notice = self.publish("x", deliverable=("cynthia", "research", REAL_ID))
        self.assertEqual(notice["nats_channel"], f"agog.deliverables.cynthia.research.{REAL_ID}")

    def test_what_is_no_name_is_refused_with_the_reason(self):
        for feature, says in [("", "empty"), (" ", "blank"), ("a\r\nb", "control character"),
                              ("x" * 201, "limit is 200"), ("\u00fc" * 101, "limit is 200")]:
            with self.subTest(feature=feature[:10]):
                self.refuse(2 if len(feature) < 100 else 5, says, "publish", "cynthia", "research",
                            feature, "-", data=b"x")

    def test_unknown_names_get_the_nearest_ones(self):
        self.publish("x", deliverable=("cynthia", "research", "customer-search"))
        self.refuse(3, 'did you mean "cynthia"', "fetch", "cyntia/research/customer-search")
        self.refuse(3, "it has research", "fetch", "cynthia/reserch/customer-search")
        self.refuse(3, 'did you mean "customer-search"', "fetch", "cynthia/research/custmer-search")
        self.refuse(3, "latest is 1", "fetch", "cynthia/research/customer-search@9")
        self.refuse(2, 'did you mean "fetch"', "fetc", "x")
        self.refuse(2, "no option", "fetch", "cynthia/research/customer-search", "--outlin")

    def test_agents_are_data(self):
        self.refuse(3, "no agent", "publish", "berry", "devops", "f", "-", data=b"x")
        self.agog("agent", "add", "berry", "--type", "devops", "--role", "DevOps")
        self.publish("x", deliverable=("berry", "devops", "f"))
        self.agog("agent", "rm", "berry")
        self.refuse(3, "no agent", "fetch", "berry/devops/f")

    def test_an_input_that_is_about_to_age_out_is_told(self):
        self.publish("# Old\n", deliverable=("cynthia", "research", "old"))
        arguments = ["publish", "roy", "backend", "new", "-", "--input", "cynthia/research/old"]
        quiet = self.run_agog(*arguments, data=b"# New\n")
        self.assertNotIn(b"expires", quiet.stderr)
        self.agog("stream", "update", "agog_features_research", "--max-age", "2h")
        told = self.run_agog(*arguments, data=b"# Newer\n")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stderr.decode(), r"^agog: input cynthia/research/old@1 expires in "
                         r"1\d\d minutes; agog pin cynthia/research/old@1 keeps it\n$")


if __name__ == "__main__":
    tap.main()
