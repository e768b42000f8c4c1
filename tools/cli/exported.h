/* What exports take of a run. */
#ifndef RV_TOOLS_CLI_EXPORTED_H
#define RV_TOOLS_CLI_EXPORTED_H

#include "recurve.h"

/* The net of a setup, with its optimizer. It borrows from the setup. */
rv_exported_net exported_net(const rv_setup *setup);

#endif
