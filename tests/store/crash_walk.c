// SPDX-License-Identifier: Apache-2.0
// crash_walk [count [seed]]: tries at least that many crash points; exit code 1 after a violation.
#include "crashsim.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
    uint64_t points = 10000;
    uint64_t seed = (uint64_t)time(NULL);
    uint64_t tried;
    if ((argc > 1 && !bytes_to_u64(bytes_of_string(argv[1]), &points)) ||
        (argc > 2 && !bytes_to_u64(bytes_of_string(argv[2]), &seed)) || argc > 3) {
        fprintf(stderr, "usage: crash_walk [count [seed]]\n");
        return 2;
    }
    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    bool sound = crashsim_run(seed, points, &tried);
    printf("%" PRIu64 " crash points, %s\n", tried, sound ? "no violation" : "VIOLATION");
    return sound ? 0 : 1;
}
