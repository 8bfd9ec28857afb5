/* SPDX-License-Identifier: Apache-2.0
 * The demo's reports as read-only bytes of the program; see demo_reports.h. */

    .macro report name, file
    .globl \name
    .hidden \name
\name:
    .incbin "\file"
    .globl \name\()_end
    .hidden \name\()_end
\name\()_end:
    .byte 0
    .endm

    .section .rodata
    report demo_cynthia, "demo/cynthia-research.md"
    report demo_sylvia, "demo/sylvia-critique.md"
    report demo_roy, "demo/roy-backend.md"

    .section .note.GNU-stack, "", %progbits
