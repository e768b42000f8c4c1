/* Recurve: reverse-mode automatic differentiation for recurrent nets, in C. Everything public. */
#ifndef RECURVE_H
#define RECURVE_H

#include "autograd/anomaly.h"
#include "autograd/feed.h"
#include "autograd/gradcheck.h"
#include "autograd/gradient.h"
#include "autograd/op.h"
#include "autograd/profile.h"
#include "autograd/program.h"
#include "autograd/recompute.h"
#include "autograd/tape.h"
#include "data/files.h"
#include "data/loader.h"
#include "data/npz.h"
#include "data/source.h"
#include "data/tasks.h"
#include "data/tensors.h"
#include "data/views.h"
#include "export/dot.h"
#include "lang/lang.h"
#include "lang/zoo.h"
#include "models/cell.h"
#include "models/flow.h"
#include "models/models.h"
#include "models/rnn.h"
#include "ops/ops.h"
#include "ops/prove.h"
#include "optim/lbfgs.h"
#include "optim/optim.h"
#include "optim/schedule.h"
#include "tensor/batch.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"
#include "tensor/shape.h"
#include "tensor/store.h"
#include "tensor/tensor.h"

#define RV_VERSION_MAJOR 0
#define RV_VERSION_MINOR 1

#endif
