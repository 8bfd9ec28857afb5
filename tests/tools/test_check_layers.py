# SPDX-License-Identifier: Apache-2.0
import tap

TABLE = """# Architecture
| room | rooms it may use | libraries | never |
|---|---|---|---|
| base | | | sockets |
| wire | base | jansson | clock |
| engine | base, wire (subject) | | |
| bus | base, engine in bus_embedded | nats.c in bus_nats | |
| main | bus | | |

### Planned rooms
| room | rooms it may use | libraries | never |
|---|---|---|---|
| flow | base, bus | libuv | |
"""


class CheckLayers(tap.Case):
    def check(self, *options):
        return self.run_tool(tap.TOOLS / "check-layers", "--root", self.root, *options)

    def refuse(self, text, *options):
        result = self.check(*options)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assert_says(result, text)

    def setUp(self):
        super().setUp()
        self.write("ARCHITECTURE.md", TABLE)
        self.write("src/base/a.h", "#pragma once\n#include <stdint.h>\n")
        self.write("src/wire/subject.h", '#pragma once\n#include "base/a.h"\n')
        self.write("src/wire/parser.h", '#pragma once\n#include "base/a.h"\n')

    def test_a_tree_that_keeps_to_the_table_passes(self):
        self.write("src/engine/stream.c", '#include "wire/subject.h"\n#include <string.h>\n')
        self.write("src/engine/stream.h", "#pragma once\nint stream(void);\n")
        self.write("src/bus/bus_embedded.c", '#include "engine/stream.h"\n')
        self.write("src/main.c", '#include "bus/bus.h"\n')
        self.write("src/bus/bus.h", "#pragma once\n")
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_an_include_upwards_is_refused(self):
        self.write("src/base/a.c", '#include "wire/subject.h"\n')
        self.refuse("src/base/a.c:1: base may not use wire")

    def test_a_header_outside_the_permitted_part_of_a_room_is_refused(self):
        self.write("src/engine/stream.c", '\n#include "wire/parser.h"\n')
        self.refuse("src/engine/stream.c:2: engine may use wire in part only")

    def test_a_room_permitted_to_one_file_is_refused_to_others(self):
        self.write("src/engine/stream.h", "#pragma once\n")
        self.write("src/bus/bus.c", '#include "engine/stream.h"\n')
        self.refuse("src/bus/bus.c:1: bus may use engine in part only")

    def test_a_library_of_another_room_is_refused(self):
        self.write("src/engine/stream.c", "#include <jansson.h>\n")
        self.refuse("engine may not use the library jansson")

    def test_a_library_permitted_to_one_file_is_refused_to_others(self):
        self.write("src/bus/bus.c", "#include <nats/nats.h>\n")
        self.refuse("bus may not use the library nats.c")

    def test_an_unknown_library_is_refused(self):
        self.write("src/bus/bus.c", "#include <left_pad.h>\n")
        self.refuse("belongs to no library")

    def test_headers_of_the_never_column_are_refused(self):
        self.write("src/base/a.c", "#include <sys/socket.h>\n")
        self.refuse("base must do without sockets")

    def test_calls_of_the_never_column_are_refused_but_not_in_comments(self):
        self.write("src/wire/a.c", "// clock_realtime_ns() is not for us\n")
        self.assertEqual(self.check().returncode, 0)
        self.write("src/wire/a.c", "long now(void) { return clock_realtime_ns(); }\n")
        self.refuse("wire must do without clock")

    def test_a_room_without_a_row_is_refused(self):
        self.write("src/attic/a.c", "int a;\n")
        self.refuse("room attic has no row")

    def test_a_planned_room_that_is_built_must_move(self):
        self.write("src/flow/a.c", "int a;\n")
        self.refuse("room flow is built, but stands among the planned")

    def test_a_cycle_in_the_table_is_refused(self):
        self.write("ARCHITECTURE.md", TABLE.replace("| base | |", "| base | engine |"))
        self.refuse("a cycle of rooms")

    def test_a_page_without_a_table_is_refused(self):
        self.write("ARCHITECTURE.md", "# Architecture\n")
        self.refuse("no table")

    def test_a_header_that_does_not_compile_alone_is_refused(self):
        self.write("src/base/b.h", "#pragma once\nuint32_t b(void);\n")
        self.refuse("src/base/b.h: does not compile alone")
        self.assertEqual(self.check("--no-compile").returncode, 0)

    def test_a_public_header_may_include_only_the_language_s_own(self):
        self.write("include/agog.h", "#pragma once\n#include <stdint.h>\n")
        self.assertEqual(self.check().returncode, 0)
        self.write("include/agog.h", '#pragma once\n#include "base/a.h"\n')
        self.refuse("include/agog.h:2: a public header")


if __name__ == "__main__":
    tap.main()
