/* What a node is for. */
#ifndef RV_EXPORT_PHASE_INTERNAL_H
#define RV_EXPORT_PHASE_INTERNAL_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rv_phase { RV_PHASE_FORWARD, RV_PHASE_GRADIENT, RV_PHASE_UPDATE, RV_PHASES } rv_phase;

rv_phase rv_phase_of(const rv_node *node);
const char *rv_phase_name(rv_phase phase);

#ifdef __cplusplus
}
#endif

#endif
