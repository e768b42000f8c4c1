/* Turns SIGINT, SIGTERM and SIGUSR1, which job schedulers send before the time is over, into a
 * flag, which a training run polls between updates. */
#ifndef RV_TOOLS_CLI_INTERRUPT_H
#define RV_TOOLS_CLI_INTERRUPT_H

/* Between interrupt_catch and interrupt_release, the first signal only sets the flag, and the
 * second one ends the process. A signal that the process ignores stays ignored. */
void interrupt_catch(void);
void interrupt_release(void);

/* Delays these signals, as around a fork, whose child has the flag and the handlers of its
 * parent. */
void interrupt_block(void);
void interrupt_unblock(void);

/* For a child process: only SIGTERM, which its parent forwards, sets the flag, however often it
 * comes. After a second signal the parent has ended, and the child ends as after the first. */
void interrupt_follow(void);

int interrupt_signal(void); /* the signal received, or 0 */

#endif
