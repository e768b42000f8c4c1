/* Recurve: reverse-mode automatic differentiation for recurrent nets, in C. Everything public. */
#ifndef RECURVE_H
#define RECURVE_H

#include "data/files.h"
#include "data/npz.h"
#include "data/weights.h"
#include "export/c.h"
#include "export/dot.h"
#include "export/net.h"
#include "export/onnx.h"
#include "recurve_core.h"
#include "tensor/checkpoint.h"
#include "tensor/safetensors.h"
#include "train/baseline.h"
#include "train/batch_program.h"
#include "train/collective.h"
#include "train/config.h"
#include "train/metrics.h"
#include "train/setup.h"
#include "train/trainer.h"

#endif
