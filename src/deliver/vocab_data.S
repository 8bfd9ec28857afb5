/* SPDX-License-Identifier: Apache-2.0
 * The two data files of the token counter as read-only bytes of the program: the loader maps them,
 * nothing is read or built at start, and no install path can be wrong. */

    .section .rodata
    .balign 64
    .globl vocab_data
    .hidden vocab_data
    .type vocab_data, %object
vocab_data:
    .incbin "o200k_base.vocab"
    .size vocab_data, . - vocab_data

    .balign 64
    .globl unicode_class_data
    .hidden unicode_class_data
    .type unicode_class_data, %object
unicode_class_data:
    .incbin "unicode16.classes"
    .size unicode_class_data, . - unicode_class_data

    .section .note.GNU-stack, "", %progbits
