# SPDX-License-Identifier: Apache-2.0
"""Where NATS is, who we are there, and what is said when it is not there."""
import base64
import binascii
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

import agogtest
import tap

PASSWORD = "s3cret-Passw0rd"
OPENSSL = shutil.which("openssl")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Case(agogtest.Case):
    def setUp(self):
        super().setUp()
        if agogtest.NATS_SERVER is None:
            self.skipTest("nats-server is not installed (tools/install-deps test installs it)")
        self.environment.pop("NATS_URL", None)

    def secretly(self, name, text):
        path = self.root / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def watch(self, *options):
        """Watches from the beginning, so that it does not matter who comes first."""
        return self.start("watch", "--json", "--timeout", "100s", "--after",
                          "agog_features_backend=0,agog_features_research=0", *options)

    def serve(self, settings=""):
        """A server that no environment points to."""
        server = self.use_nats(settings)
        del self.environment["NATS_URL"]
        return server


class Choosing(Case):
    def test_a_url_a_context_or_the_environment_says_where_to_work(self):
        server = self.serve()
        self.assertEqual(self.json("init", "--url", server.url)["home"], server.url)
        contexts = self.root / "config" / "nats" / "context"
        contexts.mkdir(parents=True)
        (contexts / "here.json").write_text(json.dumps({"url": server.url, "description": "x"}))
        self.environment["XDG_CONFIG_HOME"] = str(self.root / "config")
        self.assertEqual(self.json("status", "--context", "here")["location"], server.url)
        self.environment["NATS_URL"] = server.url
        self.assertEqual(self.json("status")["engine"], "nats")
        self.assertFalse(self.home.exists(), "a store was made beside the server")

    def test_an_empty_url_in_the_environment_is_none(self):
        self.environment["NATS_URL"] = ""
        self.agog("init")
        self.assertEqual(self.json("status")["engine"], "embedded")

    def test_a_home_that_is_given_goes_before_the_environment(self):
        self.environment["NATS_URL"] = f"nats://127.0.0.1:{free_port()}"
        self.agog("init", "--home", self.home)
        self.assertEqual(self.json("status", "--home", self.home)["engine"], "embedded")

    def test_several_urls_may_be_given_and_one_that_listens_is_enough(self):
        server = self.serve()
        urls = f"nats://127.0.0.1:{free_port()},{server.url}"
        self.environment["NATS_URL"] = urls
        self.agog("init")
        self.assertEqual(self.json("status")["location"], urls)

    def test_an_unknown_context_is_told_with_the_nearest(self):
        contexts = self.root / "config" / "nats" / "context"
        contexts.mkdir(parents=True)
        (contexts / "production.json").write_text("{}")
        (contexts / "broken.json").write_text("[]")
        self.environment["XDG_CONFIG_HOME"] = str(self.root / "config")
        self.refuse(3, ["no NATS context", "production"], "ls", "--context", "produktion")
        self.refuse(3, "no NATS context", "ls", "--context", "../context/production")
        self.refuse(2, "not a JSON object", "ls", "--context", "broken")

    def test_a_login_without_a_place_is_told(self):
        self.refuse(2, ["no place", "--url"], "ls", "--user", "x")


class Absence(Case):
    def test_a_server_that_is_not_there_is_told_with_the_reason_and_the_remedy(self):
        url = f"nats://127.0.0.1:{free_port()}"
        self.environment["NATS_URL"] = url
        begun = time.monotonic()
        self.refuse(9, ["cannot reach NATS at " + url, "connection refused", "start it",
                        "unset NATS_URL"], "publish", "roy", "backend", "f", "-", data=b"x")
        self.assertLess(time.monotonic() - begun, 30)
        del self.environment["NATS_URL"]
        self.refuse(9, "leave --url out", "ls", "--url", url)

    def test_an_unknown_host_and_a_foreign_server_are_told(self):
        self.refuse(9, "not known|resolution", "ls", "--url", "nats://no-such-host.invalid:4222")
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            port = mute.getsockname()[1]
            self.refuse(9, "does not speak NATS", "ls", "--url", f"nats://127.0.0.1:{port}")

    def test_a_server_without_jetstream_is_told(self):
        config = self.root / "core.conf"
        config.write_text('listen: "127.0.0.1:-1"')
        with subprocess.Popen([agogtest.NATS_SERVER, "-c", str(config)], stderr=subprocess.PIPE,
                              text=True) as process:
            for line in process.stderr:
                if "client connections" in line:
                    port = line.strip().rsplit(":", 1)[1]
                if "Server is ready" in line:
                    break
            self.refuse(9, "-js", "ls", "--url", f"nats://127.0.0.1:{port}")
            process.kill()

    def test_a_wait_goes_on_while_the_server_restarts(self):
        server = self.use_nats()
        self.agog("init")
        waiting = self.start("wait", "cynthia/research/f", "--timeout", "100s")
        watching = self.watch()
        self.publish("before", deliverable=("roy", "backend", "f"))
        first = json.loads(watching.stdout.readline())
        self.assertEqual(first["ref"], "roy/backend/f@1")
        server.stop()
        self.refuse(9, "refused", "ls")
        server.start()
        self.publish("after")
        out, error = waiting.communicate(timeout=100)
        self.assertEqual(waiting.returncode, 0, error)
        self.assertIn(b"cynthia/research/f@1", out)
        self.assertEqual(json.loads(watching.stdout.readline())["ref"], "cynthia/research/f@1")
        watching.send_signal(signal.SIGKILL)
        watching.communicate()


class Doctor(Case):
    def test_doctor_goes_over_server_limits_and_streams(self):
        server = self.use_nats()
        result = self.run_agog("doctor")
        self.assertEqual(result.returncode, 12)
        self.assertIn(b"agog init creates it", result.stdout)
        self.agog("init")
        text = self.text("doctor")
        for part in (server.url, "max_payload", "10.0 MiB", "set-up"):
            self.assertIn(part, text)
        server.stop()
        result = self.run_agog("doctor", "--json")
        self.assertEqual(result.returncode, 12)
        self.assertIn("refused", json.loads(result.stdout)["checks"][0]["text"])

    def test_a_server_that_takes_less_than_a_report_is_a_problem(self):
        self.use_nats("max_payload: 1MB")
        self.agog("init")
        result = self.run_agog("doctor")
        self.assertEqual(result.returncode, 12)
        self.assertIn(b"max_payload: 11MB", result.stdout)
        self.refuse(5, "max_payload", "publish", "roy", "backend", "f", "-", data=b"x" * 2_000_000)

    def test_drift_is_shown_and_repaired_and_foreign_settings_stay(self):
        self.use_nats()
        self.agog("init")
        self.agog("stream", "update", "agog_features_qa", "--max-msgs", 5)
        result = self.run_agog("init")
        self.assertEqual(result.returncode, 12)
        self.assertIn(b"max_msgs is 5, should be 10000", result.stdout)
        self.agog("init", "--repair")
        self.agog("doctor")


class Login(Case):
    def test_user_and_password_log_in_and_never_show(self):
        server = self.serve(f'authorization {{ user: ann, password: "{PASSWORD}" }}')
        self.refuse(4, "does not let us in", "ls", "--url", server.url)
        file = self.secretly("password", PASSWORD + "\n")
        login = ["--url", server.url, "--user", "ann"]
        self.agog("init", *login, "--password-file", file)
        self.environment["NATS_PASSWORD"] = PASSWORD
        self.agog("status", *login)
        self.environment["NATS_PASSWORD"] = PASSWORD + "x"
        self.refuse(4, "does not let us in", "status", *login)
        del self.environment["NATS_PASSWORD"]
        self.environment["NATS_URL"] = server.url.replace("//", f"//ann:{PASSWORD}@")
        for command in (["status"], ["status", "--json"], ["doctor"], ["init"]):
            result = self.run_agog(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn(PASSWORD.encode(), result.stdout + result.stderr)
        server.stop()
        result = self.run_agog("ls")
        self.assertEqual(result.returncode, 9)
        self.assertNotIn(PASSWORD.encode(), result.stderr)

    def test_a_password_in_an_argument_is_not_in_the_list_of_processes(self):
        server = self.serve(f'authorization {{ user: ann, password: "{PASSWORD}" }}')
        url = server.url.replace("//", f"//ann:{PASSWORD}@")
        self.agog("init", "--url", url)
        watching = self.watch("--url", url)
        self.agog("publish", "roy", "backend", "f", "-", f"--url={url}", data=b"x")
        self.assertEqual(json.loads(watching.stdout.readline())["ref"], "roy/backend/f@1")
        line = pathlib.Path(f"/proc/{watching.pid}/cmdline").read_bytes()
        watching.kill()
        watching.communicate()
        self.assertIn(b"watch", line)
        self.assertNotIn(PASSWORD.encode(), line)

    def test_a_token_logs_in(self):
        server = self.serve(f'authorization {{ token: "{PASSWORD}" }}')
        self.agog("init", "--url", server.url, "--token-file", self.secretly("token", PASSWORD))
        self.environment.update(NATS_URL=server.url, NATS_TOKEN=PASSWORD)
        self.agog("status")

    def test_a_login_of_the_command_line_is_not_mixed_with_the_environments(self):
        server = self.serve(f'authorization {{ token: "{PASSWORD}" }}')
        self.environment.update(NATS_URL=server.url, NATS_USER="ann", NATS_PASSWORD="x")
        self.agog("init", "--token-file", self.secretly("token", PASSWORD))

    def test_a_context_says_who_we_are(self):
        server = self.serve(f'authorization {{ user: ann, password: "{PASSWORD}" }}')
        contexts = self.root / ".config" / "nats" / "context"
        contexts.mkdir(parents=True)
        (contexts / "c.json").write_text(json.dumps(
            {"url": server.url, "user": "ann", "password": PASSWORD}))
        self.environment["HOME"] = str(self.root)
        self.environment.pop("XDG_CONFIG_HOME", None)
        self.agog("init", "--context", "c")

    def test_missing_permissions_are_told(self):
        server = self.serve('authorization { users: [ { user: ann, password: x, permissions: '
                            '{ publish: "nothing.here", subscribe: ">" } } ] }')
        self.environment.update(NATS_URL=server.url, NATS_USER="ann", NATS_PASSWORD="x")
        self.refuse(4, "[Pp]ermission", "ls")

    def test_missing_files_are_told(self):
        url = f"nats://127.0.0.1:{free_port()}"
        for option in ("creds", "nkey", "tls-ca", "password-file"):
            self.refuse(3, "gone.file", "ls", "--url", url, f"--{option}", "/gone.file")
        self.refuse(2, "needs its key", "ls", "--url", url, "--tls-cert", "/dev/null")


@unittest.skipIf(OPENSSL is None, "openssl is not installed (tools/install-deps test installs it)")
class Keys(Case):
    def openssl(self, *arguments, **options):
        return subprocess.run([OPENSSL, *map(str, arguments)], cwd=self.root, check=True,
                              capture_output=True, **options).stdout

    def nkey(self):
        """A user's seed and public key, made without any of our code."""
        self.openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", "k.der")
        seed = (self.root / "k.der").read_bytes()[-32:]
        public = self.openssl("pkey", "-in", "k.der", "-inform", "DER", "-pubout", "-outform",
                              "DER")[-32:]

        def encode(prefix, key):
            raw = bytes(prefix) + key
            raw += binascii.crc_hqx(raw, 0).to_bytes(2, "little")
            return base64.b32encode(raw).decode().rstrip("=")

        user = 20 << 3
        return encode([18 << 3 | user >> 5, (user & 31) << 3], seed), encode([user], public)

    def test_an_nkey_logs_in_from_a_file_and_from_the_environment(self):
        seed, public = self.nkey()
        server = self.serve(f"authorization {{ users: [ {{ nkey: {public} }} ] }}")
        self.agog("init", "--url", server.url, "--nkey", self.secretly("seed", seed + "\n"))
        self.environment.update(NATS_URL=server.url, NATS_NKEY=seed)
        self.agog("status")
        wrong = seed[:30] + ("A" if seed[30] != "A" else "B") + seed[31:]
        self.environment["NATS_NKEY"] = wrong
        result = self.run_agog("status")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"checksum", result.stderr)
        self.assertNotIn(wrong[:20].encode(), result.stderr)

    def certificate(self, name, subject, *extensions):
        self.openssl("req", "-newkey", "ed25519", "-nodes", "-keyout", f"{name}.key", "-out",
                     f"{name}.csr", "-subj", f"/CN={name}")
        (self.root / f"{name}.ext").write_text("\n".join([f"subjectAltName={subject}",
                                                         *extensions]))
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "1", "-out", f"{name}.pem", "-extfile",
                     f"{name}.ext")

    def make_certificates(self, name="IP:127.0.0.1"):
        self.openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-days", "1", "-subj", "/CN=ca")
        self.certificate("server", name, "extendedKeyUsage=serverAuth")
        self.certificate("client", "email:ann@example.org", "extendedKeyUsage=clientAuth")

    def tls(self, more=""):
        return (f'tls {{ cert_file: "{self.root}/server.pem", key_file: "{self.root}/server.key", '
                f'ca_file: "{self.root}/ca.pem", {more} }}')

    def test_tls_checks_the_server_and_shows_our_certificate(self):
        self.make_certificates()
        server = self.serve(self.tls("verify: true"))
        url = server.url.replace("nats:", "tls:")
        ca = ["--tls-ca", self.root / "ca.pem"]
        own = ["--tls-cert", self.root / "client.pem", "--tls-key", self.root / "client.key"]
        self.refuse(9, "TLS", "ls", "--url", url)
        self.refuse(9, "TLS|listens", "ls", "--url", url, *ca)
        self.agog("init", "--url", url, *ca, *own)
        self.environment.update(NATS_URL=server.url, NATS_CA=str(self.root / "ca.pem"),
                                NATS_CERT=str(self.root / "client.pem"),
                                NATS_KEY=str(self.root / "client.key"))
        self.assertEqual(self.json("status")["engine"], "nats")

    def test_a_certificate_of_another_host_is_refused(self):
        self.make_certificates("DNS:elsewhere.example.org")
        server = self.serve(self.tls())
        self.refuse(9, "TLS", "ls", "--url", server.url, "--tls-ca", self.root / "ca.pem")


if __name__ == "__main__":
    tap.main()
