/* The start of a Cortex-M4 with its floating-point unit, and its timer as a clock. */
#include <stdlib.h>
#include <string.h>

#include "board.h"

/* memory.ld */
extern uint32_t stack_end[], data_in_flash[], data_start[], data_end[], bss_start[], bss_end[];

extern void initialise_monitor_handles(void); /* of newlib: printf through the debugger */
extern int main(void);

#define COPROCESSORS (*(volatile uint32_t *)0xE000ED88)
#define TIMER ((volatile uint32_t *)0xE000E010) /* control, reload, value */

static void reset(void)
{
    COPROCESSORS |= 0xFu << 20; /* the floating-point unit */
    memcpy(data_start, data_in_flash, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    TIMER[1] = 0xFFFFFF;
    TIMER[0] = 5; /* on, at the clock of the processor */
    initialise_monitor_handles();
    exit(main());
}

static void fault(void) { abort(); }

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handler[15])(void);
} vectors = {stack_end, {reset, fault, fault, fault, fault, fault}};

/* The timer counts down from 2^24. QEMU runs it at 25 MHz and, with -icount shift=0, an instruction
 * in a nanosecond. */
uint32_t board_time(void) { return (0xFFFFFF - TIMER[2]) * 40; }
