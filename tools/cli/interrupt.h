/* SIGINT and SIGTERM as a wish to stop, which a run looks at between its updates. */
#ifndef RV_TOOLS_CLI_INTERRUPT_H
#define RV_TOOLS_CLI_INTERRUPT_H

/* From here to interrupt_release the first of them is only noted; the second one ends the process. Ignored ones stay so. */
void interrupt_catch(void);
void interrupt_release(void);

int interrupt_signal(void); /* the signal that came, or 0 */

#endif
