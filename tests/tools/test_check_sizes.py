# SPDX-License-Identifier: Apache-2.0
import tap


def function(lines, name="work"):
    """A function of exactly so many lines."""
    return f"int {name}(void)\n{{\n" + "    f();\n" * (lines - 3) + "}\n"


class CheckSizes(tap.Case):
    def check(self):
        return self.run_tool(tap.TOOLS / "check-sizes", "--root", self.root)

    def accept(self, text, name="src/base/a.c"):
        self.write(name, text)
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def refuse(self, text, says, name="src/base/a.c"):
        self.write(name, text)
        result = self.check()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assert_says(result, says)

    def except_for(self, line):
        self.write("tools/size-exceptions.txt", f"# head\n{line}\n")

    def test_a_function_has_at_most_70_lines(self):
        self.accept(function(70))
        self.refuse(function(71), "src/base/a.c:1: work: 71 lines, the limit is 70")

    def test_a_file_has_at_most_800_lines(self):
        self.accept("int a;\n" * 800)
        self.refuse("int a;\n" * 801, "801 lines, the limit is 800")

    def test_a_header_has_at_most_250_lines(self):
        self.accept("int a;\n" * 250, "src/base/a.h")
        self.refuse("int a;\n" * 251, "251 lines, the limit is 250", "include/agog.h")

    def test_a_function_has_at_most_6_parameters(self):
        six = "int a, int b, int (*c)(int x, int y), int d[2], int e, int f"
        self.accept(f"void work({six})\n{{\n}}\n")
        self.refuse(f"void work({six}, int g)\n{{\n}}\n", "work: 7 parameters, the limit is 6")

    def test_control_is_nested_at_most_4_deep(self):
        four = "if (a) for (;;) while (b) { switch (c) { case 1: f(); } }"
        self.accept(f"void work(void)\n{{\n{four}\n}}\n")
        self.refuse(f"void work(void)\n{{\nif (z) {{ {four} }}\n}}\n", "5 nesting, the limit is 4")

    def test_a_chain_of_else_if_is_one_level(self):
        chain = "if (a) f(); " + "else if (b) { g(); } " * 9 + "else h();"
        self.accept(f"void work(void)\n{{\n{chain}\nif (x) f();\n}}\n")

    def test_do_while_and_macro_loops_count_as_levels(self):
        self.refuse("void work(void)\n{\ndo { EACH(a, b) { if (a) { if (b) { if (c) { f(); } } } }"
                    " } while (x);\n}\n", "5 nesting")

    def test_braces_in_literals_comments_and_macros_are_not_counted(self):
        self.accept('#define OPEN \\\n    {\nvoid work(void)\n{\n    f("}{{", \'{\'); // {\n'
                    "    /* { */\n    x = (struct s){{1}, 2};\n}\n" + function(70, "other"))
        self.refuse("void work(void)\n{\n    f('{');\n}\n" + function(71, "other"),
                    "other: 71 lines")

    def test_tables_are_not_functions(self):
        self.accept("static const struct row rows[] = {\n" + "    {F(1), {2}},\n" * 90 + "};\n")

    def test_an_exception_grants_what_it_says_and_no_more(self):
        self.except_for("src/base/a.c:work lines 80 one table that would not read better in two")
        self.accept(function(80))
        self.refuse(function(81), "its exception grants 80")

    def test_an_exception_must_follow_when_the_code_shrinks(self):
        self.except_for("src/base/a.c:work lines 80 reason")
        self.refuse(function(75), "has shrunk to 75")

    def test_an_exception_that_is_not_needed_must_go(self):
        self.except_for("src/base/a.c:work lines 80 reason")
        self.refuse(function(60), "needs no exception")

    def test_an_exception_without_a_reason_is_refused(self):
        self.except_for("src/base/a.c:work lines 80")
        self.refuse(function(80), "want PATH")


if __name__ == "__main__":
    tap.main()
