// SPDX-License-Identifier: Apache-2.0
#pragma once

// Removes a directory that we made ourselves, with everything in it; links are not followed. What
// cannot be removed stays.
void remove_tree(const char *path);
