# SPDX-License-Identifier: Apache-2.0
import shutil

import tap

SHELL_TOOLS = ["sh", "sed", "sort", "tr", "mktemp", "rm", "cat", "tail", "env", "dirname", "touch"]
BUILD_TOOLS = ["cc", "pkg-config", "meson", "ninja"]


class InstallDeps(tap.Case):
    """Runs the script with a PATH of our own, where every command is a stand-in."""

    def setUp(self):
        super().setUp()
        (self.root / "bin").mkdir()
        for name in SHELL_TOOLS:
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        self.stub("id", "echo 0")

    def stub(self, name, script="exit 0"):
        self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n", 0o755)

    def install(self, *groups):
        return self.run_tool(tap.TOOLS / "install-deps", *groups,
                             env={"PATH": str(self.root / "bin"), "HOME": str(self.root)})

    def asked(self):
        path = self.root / "asked"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def stub_apt(self, effect="exit 0"):
        self.stub("apt-get", f'echo "$*" >>{self.root}/asked\n{effect}')

    def test_nothing_is_asked_of_apt_when_nothing_is_missing(self):
        self.stub_apt()
        for name in BUILD_TOOLS:
            self.stub(name)
        result = self.install("build")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.asked(), "")

    def test_what_is_missing_is_installed_and_nothing_else(self):
        for name in BUILD_TOOLS:
            self.stub(name)
        (self.root / "bin/meson").unlink()
        self.stub_apt(f"case \"$*\" in *meson*) cat /dev/null >{self.root}/bin/meson ;; esac\n"
                      f"case \"$*\" in *meson*) ln -sf cc {self.root}/bin/meson ;; esac")
        (self.root / "bin/ln").symlink_to(shutil.which("ln"))
        result = self.install("build")
        self.assertEqual(result.returncode, 0, result.stderr)
        last = self.asked().splitlines()[-1]
        self.assertTrue(last.endswith("install --no-install-recommends meson"), last)
        self.assertEqual(result.stderr, "Installing with apt-get: meson\n")

    def test_an_installation_that_fails_is_shown(self):
        self.stub_apt("echo the mirror is gone; exit 100")
        result = self.install("make")
        self.assertEqual(result.returncode, 1)
        self.assert_says(result, "the mirror is gone")
        self.assert_says(result, "apt-get could not install: make")

    def test_an_installation_that_does_not_help_is_told(self):
        self.stub_apt()
        result = self.install("make")
        self.assertEqual(result.returncode, 1)
        self.assert_says(result, "still not usable: make")

    def test_without_apt_the_packages_are_named_in_one_line(self):
        result = self.install("build")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count("\n"), 1)
        for package in ("gcc", "meson", "ninja-build", "libjansson-dev", "libcmark-gfm-dev",
                        "libsqlite3-dev"):
            self.assert_says(result, package)

    def test_without_root_sudo_is_used(self):
        self.stub("id", "echo 1000")
        self.stub("sudo", f'echo "sudo $*" >>{self.root}/asked\n"$@"')
        self.stub_apt()
        self.install("make")
        self.assertIn("sudo env DEBIAN_FRONTEND=noninteractive apt-get", self.asked())

    def test_without_root_and_sudo_the_command_is_named(self):
        self.stub("id", "echo 1000")
        self.stub_apt()
        result = self.install("make")
        self.assertEqual(result.returncode, 1)
        self.assert_says(result, "as root: apt-get install make")
        self.assertEqual(self.asked(), "")

    def test_an_unknown_group_is_refused(self):
        result = self.install("everything")
        self.assertEqual(result.returncode, 2)
        self.assert_says(result, "no group")


if __name__ == "__main__":
    tap.main()
