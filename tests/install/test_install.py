# SPDX-License-Identifier: Apache-2.0
"""Installs the build into a directory and lives off that alone, as another program would: no
include path and no library of the source tree."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import tap

BUILD = pathlib.Path(os.environ["AGOG_TEST_BUILD_ROOT"])
EXAMPLES = sorted((tap.ROOT / "docs/examples").glob("*.c"))


def build_option(name):
    options = json.loads(subprocess.check_output(
        ["meson", "introspect", "--buildoptions", BUILD], text=True))
    return next(option["value"] for option in options if option["name"] == name)


class Install(tap.Case):
    @classmethod
    def setUpClass(cls):
        cls.instrumented = build_option("b_sanitize") != "none" or build_option("b_coverage")
        if cls.instrumented:
            return
        folder = tempfile.TemporaryDirectory(prefix="agog-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.sysroot = pathlib.Path(folder.name).resolve()
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir",
                        cls.sysroot], check=True, capture_output=True)
        cls.prefix = cls.sysroot / build_option("prefix").lstrip("/")
        cls.libdir = cls.prefix / build_option("libdir")

    def setUp(self):
        super().setUp()
        if self.instrumented:
            self.skipTest("an instrumented library is not for other programs")

    def pkg_config(self, *arguments):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.libdir / "pkgconfig")}
        output = subprocess.check_output(
            ["pkg-config", f"--define-variable=prefix={self.prefix}", *arguments, "agog"],
            text=True, env=environment)
        return shlex.split(output)

    def compile(self, source, *flags):
        program = self.root / "program"
        compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
        result = self.run_tool(compiler, "-std=c17", "-D_POSIX_C_SOURCE=200809L", "-Wall",
                               "-Wextra", "-Wpedantic", "-Werror", source, *flags, "-o", program)
        self.assertEqual(result.returncode, 0, result.stderr)
        return program

    def run_example(self, source, program):
        """Runs it in an empty home; its head comment says what it prints, "Output:" and below."""
        result = self.run_tool(program, cwd=self.root, env={
            "PATH": os.environ["PATH"], "HOME": str(self.root), "AGOG_HOME": f"{self.root}/home",
            "LD_LIBRARY_PATH": str(self.libdir)})
        self.assertEqual(result.returncode, 0, result.stderr)
        head = re.search(r"^// Output:\n((?://(?: .*)?\n)+)", source.read_text(encoding="utf-8"),
                         re.MULTILINE)
        self.assertIsNotNone(head, f"{source.name} does not say its output")
        wanted = [re.escape(line[len("//   "):]).replace(r"\.\.\.", ".*")
                  for line in head[1].splitlines()]
        self.assertRegex(result.stdout, "^" + "\n".join(wanted) + "\n$")

    def test_examples_run_with_the_shared_library(self):
        self.assertTrue(EXAMPLES, "there are no examples")
        for source in EXAMPLES:
            with self.subTest(source.name):
                program = self.compile(source, *self.pkg_config("--cflags", "--libs"))
                self.run_example(source, program)
                shutil.rmtree(self.root / "home", ignore_errors=True)

    def test_examples_run_with_the_static_library(self):
        for source in EXAMPLES:
            with self.subTest(source.name):
                libraries = [str(self.libdir / "libagog.a") if flag == "-lagog" else flag
                             for flag in self.pkg_config("--static", "--libs")]
                program = self.compile(source, *self.pkg_config("--cflags"), *libraries)
                self.run_example(source, program)
                shutil.rmtree(self.root / "home", ignore_errors=True)

    def test_the_header_is_good_c_and_good_cpp(self):
        header = self.prefix / "include/agog.h"
        for language, standard in (("c", "c99"), ("c", "c17"), ("c++", "c++11")):
            compiler = "g++" if language == "c++" else shutil.which("cc") or "gcc"
            if not shutil.which(compiler):
                continue
            result = self.run_tool(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
                                   "-Werror", "-fsyntax-only", "-include", header, "-x", language,
                                   "/dev/null")
            self.assertEqual(result.returncode, 0, f"{standard}: {result.stderr}")

    def defined(self, *command):
        output = subprocess.check_output([*command], text=True)
        names = {line.split()[-1].split("@")[0] for line in output.splitlines()
                 if len(line.split()) >= 3}
        return {name for name in names if not re.match(r"AGOG_\d+$", name)}

    def test_both_libraries_show_agog_names_alone(self):
        shared = self.defined("nm", "-D", "--defined-only", self.libdir / "libagog.so")
        static = self.defined("nm", "-g", "--defined-only", self.libdir / "libagog.a")
        self.assertTrue(shared)
        self.assertEqual([n for n in sorted(shared | static) if not n.startswith("agog_")], [])
        self.assertEqual(shared, static)

    def test_every_function_of_the_header_is_in_the_library(self):
        text = (self.prefix / "include/agog.h").read_text(encoding="utf-8")
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
        declared = set(re.findall(r"\b(agog_\w+)\s*\((?!\s*\*)[^;{}]*\)[^;{}]*;", code))
        shared = self.defined("nm", "-D", "--defined-only", self.libdir / "libagog.so")
        self.assertTrue(declared)
        self.assertEqual(declared - shared, set())

    def test_man_page_and_completions_are_installed(self):
        for name in ("man/man1/agog.1", "bash-completion/completions/agog",
                     "zsh/site-functions/_agog", "fish/vendor_completions.d/agog.fish"):
            self.assertGreater((self.prefix / "share" / name).stat().st_size, 0, name)


if __name__ == "__main__":
    tap.main()
