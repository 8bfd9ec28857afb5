// SPDX-License-Identifier: Apache-2.0
// The conformance suites on a cluster of three NATS servers, with three replicas of each stream.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster_fixture.h"
#include "conformance.h"

int main(int argc, char **argv)
{
    struct conformance_bus cluster = {"bus on a NATS cluster",
                                      cluster_make,
                                      cluster_address,
                                      cluster_open,
                                      cluster_clear,
                                      CLUSTER_SIZE,
                                      false};
    if (nats_is_missing())
        return NATS_SKIPPED;
    cluster.both_may_win = cluster_version_minor() < 11;
    if (argc == 3)
        return conformance_kv_run(&cluster, argc, argv);
    if (argc == 4)
        return conformance_together_run(&cluster, argc, argv);
    int failed = conformance_run(&cluster);
    failed += conformance_together_run(&cluster, argc, argv);
    failed += conformance_kv_run(&cluster, argc, argv);
    cluster_stop();
    return failed;
}
