# SPDX-License-Identifier: Apache-2.0
"""Core NATS over the wire: what clients are told, what they get, and how they are refused."""
import json
import signal

import natstest
import tap
from natstest import Closed, Message


class Core(natstest.Case):
    def setUp(self):
        super().setUp()
        self.nats = self.server()

    def test_info_says_what_clients_look_for(self):
        info = self.nats.client().info
        self.assertRegex(info["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(info["proto"], 1)
        self.assertTrue(info["headers"])
        self.assertTrue(info["jetstream"])
        self.assertEqual(info["port"], self.nats.port)
        self.assertEqual(info["client_ip"], "127.0.0.1")
        self.assertGreaterEqual(info["max_payload"], 10 * 1024 * 1024)
        self.assertNotEqual(info["client_id"], self.nats.client().info["client_id"])

    def test_a_message_reaches_literal_and_wildcard_subscribers_and_no_others(self):
        one = self.nats.client()
        sids = {pattern: one.subscribe(pattern)
                for pattern in ["a.b", "a.*", "a.>", ">", "a", "a.b.c", "*.c", "b.>"]}
        one.flush()
        one.publish("a.b", "x")
        got = sorted(message.sid for message in one.flush())
        self.assertEqual(got, sorted(sids[p] for p in ["a.b", "a.*", "a.>", ">"]))

    def test_one_member_of_each_queue_group_gets_a_message(self):
        one = self.nats.client()
        first = [one.subscribe("q.*", "red"), one.subscribe("q.x", "red"),
                 one.subscribe("q.>", "red")]
        second = [one.subscribe("q.x", "blue")]
        plain = one.subscribe("q.x")
        counts = {sid: 0 for sid in first + second + [plain]}
        for _ in range(300):
            one.publish("q.x", "x")
        for message in one.flush():
            counts[message.sid] += 1
        self.assertEqual(sum(counts[sid] for sid in first), 300)
        self.assertTrue(all(counts[sid] > 30 for sid in first), counts)
        self.assertEqual(counts[second[0]], 300)
        self.assertEqual(counts[plain], 300)

    def test_headers_and_bodies_arrive_byte_for_byte(self):
        one, two = self.nats.client(), self.nats.client(headers=False, no_responders=False)
        one.subscribe("h")
        two.subscribe("h")
        two.flush()
        body = bytes(range(256)) * 10
        one.publish("h", body, "back", {"A": "1", "B": "two words"})
        got, = one.flush()
        self.assertEqual(got.headers, b"NATS/1.0\r\nA: 1\r\nB: two words\r\n\r\n")
        self.assertEqual((got.body, got.reply), (body, "back"))
        got, = two.flush()
        self.assertEqual((got.headers, got.body), (b"", body))

    def test_ten_mebibytes_pass(self):
        one = self.nats.client()
        one.subscribe("big")
        body = b"0123456789abcdef" * (10 * 65536)
        one.publish("big", body)
        got, = one.flush()
        self.assertEqual(got.body, body)

    def test_unsub_with_a_maximum_ends_after_that_many(self):
        one = self.nats.client()
        sid = one.subscribe("m")
        one.send(f"UNSUB {sid} 2\r\n".encode())
        for i in range(5):
            one.publish("m", str(i))
        self.assertEqual([message.body for message in one.flush()], [b"0", b"1"])
        other = one.subscribe("m")
        one.send(f"UNSUB {other}\r\n".encode())
        one.publish("m", "x")
        self.assertEqual(one.flush(), [])

    def test_echo_false_keeps_own_messages_away(self):
        one, two = self.nats.client(echo=False), self.nats.client()
        one.subscribe("e")
        two.subscribe("e")
        two.flush()
        one.flush()
        one.publish("e", "x")
        self.assertEqual(one.flush(), [])
        self.assertEqual(len(two.flush()), 1)

    def test_verbose_says_ok(self):
        one = self.nats.client(verbose=True)
        self.assertEqual(one.next(), b"+OK")
        one.subscribe("v")
        self.assertEqual(one.next(), b"+OK")
        one.publish("v", "x")
        self.assertEqual([one.next() if i == 0 else one.message().body for i in range(2)],
                         [b"+OK", b"x"])

    def test_a_request_that_nobody_hears_is_answered_at_once(self):
        one = self.nats.client()
        got = one.request("nobody.home", "?")
        self.assertEqual(got.status(), "503")
        self.assertEqual(got.header("Nats-Subject"), "nobody.home")

    def test_request_and_reply(self):
        one, two = self.nats.client(), self.nats.client()
        two.subscribe("svc", "workers")
        two.flush()
        one.subscribe("inbox.1")
        one.publish("svc", "ping", "inbox.1")
        one.flush()
        asked = two.message()
        two.publish(asked.reply, b"pong to " + asked.body)
        self.assertEqual(one.message().body, b"pong to ping")

    def test_malformed_input_ends_that_connection_with_its_error_and_no_other(self):
        bystander = self.nats.client()
        sid = bystander.subscribe("s")
        # Where nats-server closes without a word, so do we: the text is None.
        for bad, text in [(b"HELLO\r\n", "Unknown Protocol Operation"),
                          (b"GET / HTTP/1.1\r\n\r\n", "Unknown Protocol Operation"),
                          (b"\x16\x03\x01\x02\x00", "Unknown Protocol Operation"),
                          (b"PUB x\r\n", None),
                          (b"PUB x -1\r\n", None),
                          (b"PUB x 3\r\nabcdef\r\n", "Unknown Protocol Operation"),
                          (b"HPUB x 12 3\r\n", None),
                          (b"SUB\r\n", "Unknown Protocol Operation"),
                          (b"SUB x\r\n", None),
                          (b"-ERR 'x'\r\n", None),
                          (b"\r\n", "Unknown Protocol Operation"),
                          (b"PUB x 999999999\r\n", "Maximum Payload Violation"),
                          (b"PUB x 9999999999\r\n", None),
                          (b"SUB " + b"a" * 5000 + b" 1\r\n", "maximum control line exceeded"),
                          (b"SUB " + b"a" * 9000, "maximum control line exceeded"),
                          (b"CONNECT {not json\r\n", None),
                          (b"CONNECT {\"verbose\":1}\r\n", None),
                          (b"CONNECT {\"protocol\":7}\r\n", "invalid client protocol")]:
            with self.subTest(bad=bad[:30]):
                victim = self.nats.client(connect=not bad.startswith(b"CONNECT"))
                victim.send(bad)
                said = [line for line in victim.until_closed() if isinstance(line, bytes)]
                self.assertEqual([line for line in said if line.startswith(b"-ERR")],
                                 [] if text is None else [f"-ERR '{text}'".encode()])
        bystander.publish("s", "still here")
        self.assertEqual(bystander.flush()[0].sid, sid)

    def test_an_invalid_subject_is_refused_and_the_connection_stays(self):
        one = self.nats.client(pedantic=True)
        for bad in ["a..b", ".a", "a.", "a.>.b"]:
            one.subscribe(bad)
            one.flush()
            self.assertEqual(one.errors.pop(), "-ERR 'Invalid Subject'")
        one.publish("a.*", "x")
        one.flush()
        self.assertEqual(one.errors, ["-ERR 'Invalid Publish Subject'"])

    def test_bytes_that_come_one_by_one_mean_the_same(self):
        one = self.nats.client()
        one.subscribe("slow")
        one.flush()
        for byte in b"PUB slow inbox 5\r\nhello\r\nHPUB slow 12 15\r\nNATS/1.0\r\n\r\nabc\r\n":
            one.send(bytes([byte]))
        got = [one.message(), one.message()]
        self.assertEqual([(m.reply, m.body) for m in got], [("inbox", b"hello"), ("", b"abc")])

    def test_a_client_that_never_reads_is_cut_off_by_name_and_others_go_on(self):
        slow, fast, source = (self.nats.client(name=name) for name in ["slow", "fast", "source"])
        slow.subscribe("flood")
        slow.flush()
        fast.subscribe("flood")
        fast.flush()
        body = b"x" * (1 << 20)
        for i in range(120):
            source.publish("flood", body)
            self.assertEqual(len(fast.message().body), 1 << 20)
        source.flush()
        self.nats.wait_for(r"Slow Consumer Detected")
        varz = json.loads(source.request("$SYS.REQ.SERVER.PING.VARZ").body)["data"]
        self.assertEqual(varz["slow_consumers"], 1)
        self.assertEqual(varz["connections"], 2)

    def test_term_ends_the_server_promptly_and_well(self):
        one = self.nats.client()
        one.subscribe("x")
        one.flush()
        self.assertEqual(self.nats.stop(), 0)
        with self.assertRaises((Closed, ConnectionResetError)):
            one.next()
        self.assertIn("Server Exiting", self.nats.log())

    def test_lame_duck_tells_clients_and_then_lets_them_go(self):
        self.nats.stop()
        nats = self.server("-c", self.config(
            "lame_duck_duration: 30s\nlame_duck_grace_period: 100ms\n"))
        one = nats.client()
        nats.process.send_signal(signal.SIGUSR2)
        said = one.next()
        self.assertTrue(said.startswith(b"INFO "))
        self.assertTrue(json.loads(said[5:])["ldm"])
        with self.assertRaises(OSError):
            nats.client()
        one.until_closed()
        self.assertEqual(nats.process.wait(natstest.WAIT_SECONDS), 0)

    def test_a_connection_that_is_silent_is_pinged_and_then_stale(self):
        self.nats.stop()
        nats = self.server("-c", self.config("ping_interval: 1s\nping_max: 1\n"))
        one = nats.client()
        one.send(b"PING\r\n")
        lines = []
        while not lines or lines[-1] != b"-ERR 'Stale Connection'":
            lines.append(one.line())
        self.assertIn(b"PING", lines)

    def test_a_taken_port_is_one_clear_line(self):
        result = self.run_agog("serve", "-a", "127.0.0.1", "-p", self.nats.port, "-sd",
                               self.root / "other")
        self.assertEqual(result.returncode, 9)
        error = result.stderr.decode().splitlines()[-1]
        self.assertRegex(error, r"cannot listen on 127.0.0.1:\d+: address already in use")

    def test_a_store_in_use_is_one_clear_line(self):
        result = self.run_agog("serve", "-a", "127.0.0.1", "-p", "-1", "-sd", self.root / "store")
        self.assertEqual(result.returncode, 8)
        self.assertIn(b"agog serve", result.stderr)


class Sockets(natstest.Case):
    def test_ipv6_and_a_unix_socket_serve_as_well(self):
        path = self.root / "nats.sock"
        nats = self.server("-c", self.config(f"unix_socket: \"{path}\"\n"))
        one, two = natstest.Client(path), nats.client()
        one.subscribe("u")
        one.flush()
        two.publish("u", "over")
        self.assertEqual(one.message().body, b"over")


if __name__ == "__main__":
    tap.main()
