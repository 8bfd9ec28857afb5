// SPDX-License-Identifier: Apache-2.0
#include "bus/bus.h"

void bus_close(struct bus *bus)
{
    if (bus != NULL)
        bus->operations->close(bus);
}

void bus_rest(struct bus *bus)
{
    if (bus->operations->rest != NULL)
        bus->operations->rest(bus);
}

void bus_follow_close(struct bus_follow *follow)
{
    if (follow != NULL)
        follow->bus->operations->follow_close(follow);
}
