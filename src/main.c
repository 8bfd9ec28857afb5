// SPDX-License-Identifier: Apache-2.0
// The program: builds the invocation, runs it, exits. Nothing below exits.
#include "cli/cli.h"

int main(int argc, char **argv)
{
    static struct cli cli;
    cli.in = stdin;
    cli.out = stdout;
    cli.err = stderr;
    return cli_main(&cli, argc, argv);
}
