# SPDX-License-Identifier: Apache-2.0
"""JetStream's API over the wire: streams and their messages."""
import base64
import concurrent.futures
import json

import natstest
import tap


class StreamCase(natstest.Case):
    def setUp(self):
        super().setUp()
        self.nats = self.server()
        self.nc = self.nats.client()

    def make(self, name="S", **config):
        answer = self.nc.api(f"STREAM.CREATE.{name}",
                             {"name": name, "subjects": [f"{name.lower()}.>"], **config})
        self.assertNotIn("error", answer)
        return answer

    def ack(self, subject, body="", **headers):
        return self.nc.request(subject, body, {key.replace("_", "-"): value for key, value
                                               in headers.items()} or None).json()

    def refused(self, what, body, code, err_code):
        answer = self.nc.api(what, body)
        self.assertEqual((answer["error"]["code"], answer["error"]["err_code"]), (code, err_code),
                         answer)
        return answer["error"]["description"]


class Streams(StreamCase):
    def test_a_stream_is_made_shown_changed_listed_and_deleted(self):
        made = self.make(max_msgs=10)
        self.assertEqual(made["type"], "io.nats.jetstream.api.v1.stream_create_response")
        self.assertTrue(made["did_create"])
        self.assertEqual(made["config"]["max_msgs"], 10)
        self.assertNotIn("did_create", self.make(max_msgs=10))
        self.assertEqual(self.nc.api("STREAM.INFO.S")["state"]["messages"], 0)
        changed = self.nc.api("STREAM.UPDATE.S", {"name": "S", "subjects": ["s.>", "t"],
                                                  "max_msgs": 20})
        self.assertEqual(changed["config"]["max_msgs"], 20)
        self.assertEqual(self.ack("t", "x")["seq"], 1)
        self.make("A")
        names = self.nc.api("STREAM.NAMES")
        self.assertEqual((names["streams"], names["total"]), (["A", "S"], 2))
        self.assertEqual(self.nc.api("STREAM.NAMES", {"subject": "t"})["streams"], ["S"])
        self.assertEqual([s["config"]["name"] for s in self.nc.api("STREAM.LIST")["streams"]],
                         ["A", "S"])
        self.assertTrue(self.nc.api("STREAM.DELETE.S")["success"])
        self.refused("STREAM.INFO.S", None, 404, 10059)
        self.assertEqual(self.nc.request("t", "x").status(), "503")

    def test_wrong_requests_get_nats_servers_errors(self):
        self.make()
        self.refused("STREAM.CREATE.S", {"name": "T"}, 400, 10056)
        self.refused("STREAM.CREATE.S", {"name": "S", "subjects": ["other"]}, 400, 10058)
        self.refused("STREAM.CREATE.T", {"name": "T", "subjects": ["s.a"]}, 400, 10065)
        self.refused("STREAM.UPDATE.X", {"name": "X"}, 404, 10059)
        self.refused("STREAM.DELETE.X", None, 404, 10059)
        self.refused("STREAM.DELETE.S", {"a": 1}, 400, 10038)
        self.refused("STREAM.CREATE.T", {"name": "T", "max_msgs": "many"}, 400, 10025)
        self.refused("STREAM.MSG.GET.S", {}, 400, 10003)
        self.refused("STREAM.MSG.GET.S", {"seq": 1}, 404, 10037)
        self.refused("STREAM.MSG.DELETE.S", {"seq": 9}, 400, 10043)
        text = self.nc.request("$JS.API.STREAM.CREATE.T", b"{not json").json()
        self.assertEqual(text["error"]["err_code"], 10025)
        self.assertEqual(self.nc.request("$JS.API.STREAM.NOSUCH", b"").status(), "503")

    def test_an_acknowledged_message_is_read_back_in_every_way(self):
        self.make(allow_direct=True)
        headers = {"X": "y"}
        ack = self.nc.request("s.a", "first", headers).json()
        self.assertEqual(ack, {"stream": "S", "seq": 1})
        self.assertEqual(self.ack("s.b", "second")["seq"], 2)
        got = self.nc.api("STREAM.MSG.GET.S", {"seq": 1})["message"]
        self.assertEqual((got["subject"], base64.b64decode(got["data"])), ("s.a", b"first"))
        self.assertEqual(base64.b64decode(got["hdrs"]), b"NATS/1.0\r\nX: y\r\n\r\n")
        last = self.nc.api("STREAM.MSG.GET.S", {"last_by_subj": "s.b"})["message"]
        self.assertEqual(last["seq"], 2)
        after = self.nc.api("STREAM.MSG.GET.S", {"seq": 1, "next_by_subj": "s.b"})["message"]
        self.assertEqual(after["seq"], 2)
        direct = self.nc.request("$JS.API.DIRECT.GET.S.s.a")
        self.assertEqual((direct.body, direct.header("X"), direct.header("Nats-Sequence"),
                          direct.header("Nats-Subject")), (b"first", "y", "1", "s.a"))
        self.assertEqual(self.nc.request("$JS.API.DIRECT.GET.S", '{"seq":9}').status(),
                         "404 Message Not Found")
        self.assertEqual(self.nc.request("$JS.API.DIRECT.GET.S", "").status(),
                         "408 Empty Request")

    def test_a_batch_of_direct_gets_ends_with_its_own_mark(self):
        self.make(allow_direct=True)
        for i in range(5):
            self.ack(f"s.{i}", str(i))
        sid = self.nc.subscribe("inbox")
        self.nc.publish("$JS.API.DIRECT.GET.S", '{"seq":2,"batch":3}', "inbox")
        got = [self.nc.message() for _ in range(4)]
        self.assertEqual([m.body for m in got[:3]], [b"1", b"2", b"3"])
        self.assertEqual([m.header("Nats-Num-Pending") for m in got], ["3", "2", "1", "1"])
        self.assertEqual(got[3].status(), "204 EOB")
        self.nc.publish("$JS.API.DIRECT.GET.S", '{"multi_last":["s.1","s.*"]}', "inbox")
        got = [self.nc.message() for _ in range(6)]
        self.assertEqual([m.body for m in got[:5]], [b"0", b"1", b"2", b"3", b"4"])
        self.assertEqual(got[5].header("Nats-UpTo-Sequence"), "5")
        self.nc.send(f"UNSUB {sid}\r\n".encode())

    def test_duplicates_and_expectations(self):
        self.make()
        self.assertEqual(self.ack("s.a", "1", Nats_Msg_Id="x"), {"stream": "S", "seq": 1})
        self.assertEqual(self.ack("s.a", "1", Nats_Msg_Id="x"),
                         {"stream": "S", "seq": 1, "duplicate": True})
        wrong = self.ack("s.a", "2", Nats_Expected_Last_Sequence="7")
        self.assertEqual((wrong["error"]["err_code"], wrong["seq"], wrong["stream"]),
                         (10071, 0, "S"))
        self.assertEqual(wrong["error"]["description"], "wrong last sequence: 1")
        self.assertEqual(self.ack("s.a", "2", Nats_Expected_Last_Sequence="1")["seq"], 2)

    def test_purge_delete_and_subjects(self):
        self.make()
        for subject in ["s.a", "s.b", "s.a", "s.c"]:
            self.ack(subject, "x")
        info = self.nc.api("STREAM.INFO.S", {"subjects_filter": "s.>"})
        self.assertEqual(info["state"]["subjects"], {"s.a": 2, "s.b": 1, "s.c": 1})
        self.assertEqual((info["total"], info["offset"]), (3, 0))
        self.assertTrue(self.nc.api("STREAM.MSG.DELETE.S", {"seq": 2})["success"])
        info = self.nc.api("STREAM.INFO.S", {"deleted_details": True})
        self.assertEqual(info["state"]["deleted"], [2])
        purged = self.nc.api("STREAM.PURGE.S", {"filter": "s.a", "keep": 1})
        self.assertEqual((purged["success"], purged["purged"]), (True, 1))
        self.assertEqual(self.nc.api("STREAM.PURGE.S")["purged"], 2)

    def test_everything_survives_a_restart(self):
        self.make(description="kept")
        for i in range(50):
            self.ack("s.a", str(i))
        before = self.nc.api("STREAM.INFO.S")
        self.assertEqual(self.nats.stop(), 0)
        self.nats.start()
        self.nc = self.nats.client()
        after = self.nc.api("STREAM.INFO.S")
        self.assertEqual((after["config"], after["state"], after["created"]),
                         (before["config"], before["state"], before["created"]))

    def test_a_newer_message_that_is_not_yet_committed_hides_nothing(self):
        self.make(max_msgs_per_subject=1, allow_direct=True)
        self.ack("s.k", "0")
        for i in range(1, 200):
            self.nc.publish("s.k", str(i), "_none")
            got = self.nc.request("$JS.API.DIRECT.GET.S.s.k")
            self.assertIn(got.body, [str(i - 1).encode(), str(i).encode()], got.headers)

    def test_agog_reports_and_raw_messages_share_one_stream(self):
        self.nats.stop()
        self.environment["AGOG_HOME"] = str(self.root / "store")
        printed = self.publish("# Title\n\nBody\n")
        self.nats.start()
        nc = self.nats.client()
        got = nc.api("STREAM.MSG.GET.agog_features_research",
                     {"last_by_subj": "agog.deliverables.cynthia.research.f"})["message"]
        self.assertEqual(base64.b64decode(got["data"]), b"# Title\n\nBody\n")
        self.assertIn("cynthia/research/f", json.dumps(printed))


class Features(StreamCase):
    """What single messages and whole streams may ask for."""

    def body_of(self, stream, seq):
        return base64.b64decode(self.nc.api(f"STREAM.MSG.GET.{stream}", {"seq": seq})[
            "message"].get("data", ""))

    def wait_for(self, stream, wanted):
        """Until the stream's state is as wanted; the state."""
        end = natstest.time.monotonic() + natstest.WAIT_SECONDS
        while natstest.time.monotonic() < end:
            state = self.nc.api(f"STREAM.INFO.{stream}")["state"]
            if wanted(state):
                return state
            natstest.time.sleep(0.02)
        raise AssertionError(f"stream {stream} came to {state}")

    def test_a_mirror_keeps_sequences_and_goes_on_after_a_restart(self):
        self.make("O")
        for i in range(600):
            self.nc.publish(f"o.{i % 3}", str(i))
        self.nc.flush()
        self.assertNotIn("error", self.nc.api("STREAM.CREATE.M", {
            "name": "M", "mirror": {"name": "O"}, "mirror_direct": True}))
        state = self.wait_for("M", lambda state: state["messages"] == 600)
        self.assertEqual((state["first_seq"], state["last_seq"]), (1, 600))
        self.assertEqual(self.body_of("M", 411), b"410")
        self.assertEqual(self.nats.stop(), 0)
        self.nats.start()
        self.nc = self.nats.client()
        self.ack("o.1", "after")
        self.wait_for("M", lambda state: state["messages"] == 601)
        self.assertEqual(self.body_of("M", 601), b"after")
        self.assertEqual(self.nc.api("STREAM.INFO.M")["mirror"]["lag"], 0)
        self.refused("STREAM.CREATE.N", {"name": "N", "mirror": {"name": "O"},
                                         "subjects": ["n"]}, 400, 10034)

    def test_sources_are_gathered_filtered_renamed_and_never_doubled(self):
        self.make("A")
        self.make("B")
        for i in range(50):
            self.ack(f"a.{i % 2}", f"a{i}")
            self.ack(f"b.{i % 2}", f"b{i}")
        self.assertNotIn("error", self.nc.api("STREAM.CREATE.G", {"name": "G", "sources": [
            {"name": "A", "filter_subject": "a.1"},
            {"name": "B", "subject_transforms": [{"src": "b.*", "dest": "renamed.$1"}]}]}))
        self.wait_for("G", lambda state: state["messages"] == 75)
        subjects = self.nc.api("STREAM.INFO.G", {"subjects_filter": ">"})["state"]["subjects"]
        self.assertEqual(subjects, {"a.1": 25, "renamed.0": 25, "renamed.1": 25})
        self.assertEqual(self.nats.stop(), 0)
        self.nats.start()
        self.nc = self.nats.client()
        self.ack("a.1", "more")
        self.wait_for("G", lambda state: state["messages"] == 76)
        headers = base64.b64decode(self.nc.api("STREAM.MSG.GET.G", {"last_by_subj": "a.1"})[
            "message"]["hdrs"])
        self.assertIn(b"Nats-Stream-Source: A 51 a.1 > a.1", headers)

    def test_what_is_stored_is_republished_with_its_place(self):
        self.make(republish={"src": "s.>", "dest": "live.>"})
        listener = self.nats.client()
        listener.subscribe("live.>")
        listener.flush()
        self.ack("s.x", "one")
        self.ack("s.x", "two")
        got = [listener.message(), listener.message()]
        self.assertEqual([(m.subject, m.body, m.header("Nats-Sequence"),
                           m.header("Nats-Last-Sequence"), m.header("Nats-Subject"))
                          for m in got], [("live.x", b"one", "1", "0", "s.x"),
                                          ("live.x", b"two", "2", "1", "s.x")])

    def test_a_stream_renames_what_it_stores(self):
        self.make(subject_transform={"src": "s.*.*", "dest": "s.{{wildcard(2)}}.$1"})
        self.ack("s.a.b", "x")
        self.assertEqual(self.nc.api("STREAM.MSG.GET.S", {"seq": 1})["message"]["subject"],
                         "s.b.a")
        self.refused("STREAM.CREATE.T", {"name": "T", "subjects": ["t.>"], "subject_transform": {
            "src": "t.*", "dest": "t.{{wildcard(2)}}"}}, 400, 10156)

    def test_a_message_expires_by_its_own_time_and_leaves_a_marker(self):
        self.make(allow_msg_ttl=True, subject_delete_marker_ttl=10 ** 9)
        self.assertEqual(self.ack("s.a", "x", Nats_TTL="1s")["seq"], 1)
        self.assertEqual(self.ack("s.b", "stays", Nats_TTL="never")["seq"], 2)
        self.assertEqual(self.ack("s.c", "x", Nats_TTL="soon")["error"]["err_code"], 10165)
        state = self.wait_for("S", lambda state: state["last_seq"] == 3)
        headers = base64.b64decode(self.nc.api("STREAM.MSG.GET.S", {"last_by_subj": "s.a"})[
            "message"]["hdrs"])
        self.assertEqual(headers, b"NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: 1s\r\n"
                                  b"Nats-Rollup: sub\r\n\r\n")
        state = self.wait_for("S", lambda state: state["messages"] == 1)
        self.assertEqual(state["first_seq"], 2)
        self.make("P")
        self.assertEqual(self.ack("p.a", "x", Nats_TTL="1s")["error"]["err_code"], 10166)

    def test_what_a_key_value_client_marks_as_purged_leaves_no_marker(self):
        self.make(allow_msg_ttl=True, subject_delete_marker_ttl=3600 * 10 ** 9,
                  max_msgs_per_subject=1)
        self.ack("s.a", "", Nats_TTL="1s", KV_Operation="PURGE")
        self.wait_for("S", lambda state: state["messages"] == 0)
        self.ack("s.a", "x", Nats_TTL="1s")
        self.wait_for("S", lambda state: state["last_seq"] == 3)
        headers = base64.b64decode(self.nc.api("STREAM.MSG.GET.S", {"seq": 3})["message"]["hdrs"])
        self.assertIn(b"Nats-TTL: 1h0m0s\r\n", headers)

    def test_no_message_goes_before_markers_do(self):
        self.make(allow_msg_ttl=True, subject_delete_marker_ttl=3600 * 10 ** 9)
        self.ack("s.a", "kept", Nats_TTL="1s")
        self.make("P", allow_msg_ttl=True)
        self.ack("p.a", "brief", Nats_TTL="1s")
        self.wait_for("P", lambda state: state["messages"] == 0)
        self.assertEqual(self.nc.api("STREAM.INFO.S")["state"]["messages"], 1)

    def test_a_stream_that_never_had_a_message_has_no_first(self):
        self.make()
        state = self.nc.api("STREAM.INFO.S")["state"]
        self.assertEqual((state["first_seq"], state["last_seq"]), (0, 0))
        self.ack("s.a", "x")
        self.nc.api("STREAM.PURGE.S")
        state = self.nc.api("STREAM.INFO.S")["state"]
        self.assertEqual((state["first_seq"], state["last_seq"]), (2, 1))

    def batch(self, number, sequence, subject, body, **more):
        return self.nc.request(subject, body, {
            "Nats-Batch-Id": f"b{number}", "Nats-Batch-Sequence": str(sequence),
            **{key.replace("_", "-"): value for key, value in more.items()}})

    def test_a_batch_is_stored_as_a_whole_or_not_at_all(self):
        self.make(allow_atomic=True)
        self.assertEqual(self.batch(1, 1, "s.a", "one").body, b"")
        self.assertEqual(self.batch(1, 2, "s.b", "two").body, b"")
        self.assertEqual(self.nc.api("STREAM.INFO.S")["state"]["messages"], 0)
        self.assertEqual(self.batch(1, 3, "s.c", "three", Nats_Batch_Commit="1").json(),
                         {"stream": "S", "seq": 3, "batch": "b1", "count": 3})
        self.batch(2, 1, "s.a", "x")
        refused = self.batch(2, 2, "s.b", "y", Nats_Expected_Last_Subject_Sequence="9",
                             Nats_Batch_Commit="1").json()
        self.assertEqual(refused["error"]["err_code"], 10071)
        self.batch(3, 1, "s.a", "x")
        self.assertEqual(self.batch(3, 3, "s.a", "gap").json()["error"]["err_code"], 10176)
        self.batch(4, 1, "s.a", "x")
        self.assertEqual(self.batch(4, 2, "s.a", "", Nats_Batch_Commit="eob").json()["count"], 1)
        self.assertEqual(self.nc.api("STREAM.INFO.S")["state"]["messages"], 4)
        self.make("P")
        self.assertEqual(self.batch(5, 1, "p.a", "x").json()["error"]["err_code"], 10174)

    def test_an_interest_stream_keeps_what_somebody_has_to_acknowledge(self):
        self.make("I", retention="interest")
        self.assertEqual(self.ack("i.a", "nobody")["seq"], 1)
        self.assertEqual(self.nc.api("STREAM.INFO.I")["state"]["messages"], 0)
        for name in ["one", "two"]:
            self.assertNotIn("error", self.nc.api(f"CONSUMER.DURABLE.CREATE.I.{name}", {
                "stream_name": "I", "config": {"durable_name": name, "ack_policy": "explicit"}}))
        self.ack("i.a", "both")
        for name, left in [("one", 1), ("two", 0)]:
            got = self.nc.request(f"$JS.API.CONSUMER.MSG.NEXT.I.{name}", "1")
            self.assertEqual(got.body, b"both")
            self.nc.request(got.reply, "+ACK")
            self.assertEqual(self.nc.api("STREAM.INFO.I")["state"]["messages"], left)


class Kills(natstest.Case):
    """Every ack that was received is true after a kill; what is sent again is not stored twice."""

    def test_no_acknowledged_message_is_lost_or_doubled_by_two_hundred_kills(self):
        nats = self.server()
        nc = nats.client()
        self.assertNotIn("error", nc.api("STREAM.CREATE.K", {
            "name": "K", "subjects": ["k.>"], "duplicate_window": 600 * 10**9}))
        acknowledged = {}
        for round_number in range(200):
            nc = nats.client()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                killer = pool.submit(self.kill_later, nats, round_number)
                self.publish_until_closed(nc, round_number, acknowledged)
                killer.result()
            nats.start()
        nc = nats.client()
        seen = {}
        state = nc.api("STREAM.INFO.K")["state"]
        for seq in range(state["first_seq"], state["last_seq"] + 1):
            message = nc.api("STREAM.MSG.GET.K", {"seq": seq})["message"]
            body = base64.b64decode(message["data"]).decode()
            self.assertNotIn(body, seen)
            seen[body] = seq
        self.assertGreater(len(acknowledged), 200)
        self.assertEqual({body: seen.get(body) for body in acknowledged}, acknowledged)

    @staticmethod
    def kill_later(nats, round_number):
        # Somewhere between the first publishes and some way into the stream of them.
        natstest.time.sleep(0.002 + round_number % 20 * 0.001)
        nats.kill()

    @staticmethod
    def publish_until_closed(nc, round_number, acknowledged):
        try:
            nc.subscribe("acks.*")
            for i in range(100000):
                # What the last round sent last is sent again: it may be stored or not.
                for number in {round_number, max(0, round_number - 1)} if i == 0 else {
                        round_number}:
                    body = f"{number}-{i}"
                    nc.publish(f"k.{i % 3}", body, f"acks.{body}", {"Nats-Msg-Id": body})
                if i % 8 == 7:
                    for message in nc.flush():
                        ack = message.json()
                        if "error" not in ack:
                            acknowledged.setdefault(message.subject[5:], ack["seq"])
                            assert acknowledged[message.subject[5:]] == ack["seq"]
        except (natstest.Closed, OSError):
            return


if __name__ == "__main__":
    tap.main()
