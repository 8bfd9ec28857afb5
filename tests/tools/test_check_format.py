# SPDX-License-Identifier: Apache-2.0
import os
import shutil

import tap


class CheckFormat(tap.Case):
    def setUp(self):
        super().setUp()
        shutil.copy(tap.ROOT / ".clang-format", self.root)

    def check(self, text, **options):
        path = self.write("a.c", text)
        return self.run_tool(tap.TOOLS / "check-format", path, **options)

    def test_only_code_as_clang_format_writes_it_passes(self):
        good = self.check("int work(void)\n{\n    return 1;\n}\n")
        if good.returncode == 77:
            self.skipTest("no clang-format 14")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertNotEqual(self.check("int work(void) {\n  return 1;\n}\n").returncode, 0)

    def test_another_version_is_not_asked(self):
        for name in ("clang-format", "clang-format-14"):
            self.write(f"bin/{name}", "#!/bin/sh\necho clang-format version 19.1.0\n", 0o755)
        path = f"{self.root}/bin{os.pathsep}{os.environ['PATH']}"
        result = self.check("int a;\n", env={**os.environ, "PATH": path})
        self.assertEqual(result.returncode, 77)
        self.assert_says(result, "skipped, there is no clang-format 14")


if __name__ == "__main__":
    tap.main()
