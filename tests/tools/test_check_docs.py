# SPDX-License-Identifier: Apache-2.0
import tap

PROGRAM = """#!/bin/sh
case "$1" in
--help) printf 'Usage: agog COMMAND\\n\\nCommands:\\n  publish  Store a report\\n  kv       Keys\\n\\nOptions\\n' ;;
man) echo '.SS agog publish'; echo '.SS agog kv' ;;
completion) echo "publish MORE" ;;
esac
"""


class CheckDocs(tap.Case):
    def setUp(self):
        super().setUp()
        self.write("README.md", "# agog\n\n`agog publish` and `agog kv`\n")
        self.write("src/base/a.c", "int a;\n")
        self.write("src/base/README.md", "line\n" * 12)

    def check(self, *options):
        return self.run_tool(tap.TOOLS / "check-docs", "--root", self.root, *options)

    def refuse(self, says, *options):
        result = self.check(*options)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assert_says(result, says)

    def test_a_tree_in_order_passes(self):
        self.write("docs/README.md", "[up](../README.md#agog) [out](https://example.org/x)\n")
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_a_link_that_leads_nowhere_is_refused(self):
        self.write("README.md", "# agog\n\n[x](docs/gone.md)\n")
        self.refuse("README.md:3: the link docs/gone.md leads nowhere")

    def test_a_link_to_a_heading_that_is_not_there_is_refused(self):
        self.write("README.md", "# agog\n\n[x](#gone)\n")
        self.refuse("names a heading that is not there")

    def test_code_in_fences_is_not_read(self):
        self.write("README.md", "# agog\n\n```\n[x](gone.md) `src/gone.c`\n```\n")
        self.assertEqual(self.check().returncode, 0)

    def test_a_path_that_is_gone_is_refused_unless_it_is_planned(self):
        self.write("README.md", "# agog\n\nplanned: `src/gone.c`\n")
        self.assertEqual(self.check().returncode, 0)
        self.write("README.md", "# agog\n\nsee `src/gone.c`\n")
        self.refuse("README.md:3: there is no src/gone.c")

    def test_a_room_with_code_needs_a_readme(self):
        self.write("src/wire/b.c", "int b;\n")
        self.refuse("src/wire: has no README.md")

    def test_a_room_s_readme_has_10_to_20_lines(self):
        self.write("src/base/README.md", "line\n" * 21)
        self.refuse("21 lines")

    def test_each_make_target_is_explained(self):
        self.write("Makefile", "build: ## x\n\ttrue\ntest:\n\ttrue\n")
        self.write("HACKING.md", "`make build` compiles.\n")
        self.refuse("says nothing of `make test`")

    def test_each_command_stands_in_readme_man_page_and_completions(self):
        program = self.write("bin/agog", PROGRAM, 0o755)
        self.write("README.md", "# agog\n\n`agog publish`\n")
        self.refuse("README.md: says nothing of `agog kv`", "--agog", program)
        self.refuse("completion fish: does not know kv", "--agog", program)
        program = self.write("bin/agog", PROGRAM.replace("MORE", "kv"), 0o755)
        self.write("README.md", "# agog\n\n`agog publish` and `agog kv`\n")
        self.assertEqual(self.check("--agog", program).returncode, 0)

    def test_a_program_that_lists_no_commands_is_refused(self):
        program = self.write("bin/agog", "#!/bin/sh\nexit 1\n", 0o755)
        self.refuse("lists no commands", "--agog", program)


if __name__ == "__main__":
    tap.main()
