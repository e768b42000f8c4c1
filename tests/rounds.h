/* How long a random search runs. */
#ifndef RV_TESTS_ROUNDS_H
#define RV_TESTS_ROUNDS_H

#include <algorithm>
#include <cstdlib>

#include "tests/sanitized.h"

/* As many rounds as the environment variable says, or `usual`. Under a sanitizer a round takes
 * several times as long, so that a quarter is usual. */
inline int rounds(const char *variable, int usual)
{
    const char *given = std::getenv(variable);
    return given ? std::atoi(given) : SANITIZED ? std::max(1, usual / 4) : usual;
}

#endif
