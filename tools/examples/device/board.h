/* What the example needs of a board besides the C library: a clock. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#ifdef __arm__
#define BOARD_UNIT "instructions"
#else
#define BOARD_UNIT "ns"
#endif

uint32_t board_time(void);

#endif
