/* An op's samples as equations with values, for those who prove the op. */
#ifndef RV_OPS_SAMPLES_INTERNAL_H
#define RV_OPS_SAMPLES_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/op.h"
#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_SAMPLE_INPUTS = 4 };

int rv_sample_inputs(const rv_op *op, const rv_sample *s);

/* Input k is called "x0", "x1", ... */
const char *rv_sample_input_name(int k);

/* Records the op, a composite by its `call`, on inputs "x0", "x1", ... of the sample's shapes,
 * which are i32 where it says so and of the tape's dtype elsewhere; inputs[k] (unless NULL) gets
 * them. */
rv_var rv_sample_record(rv_tape *tape, const rv_op *op, const rv_sample *s, rv_var *inputs);

/* The same on given inputs. */
rv_var rv_sample_record_on(rv_tape *tape, const rv_op *op, const rv_sample *s, const rv_var *x);

/* Fills one input: values in low..high, a pure function of (k, seed). Floats are far from each
 * other and from zero, as far as there is room, so that a difference steps over no tie and no kink;
 * i32 are whole numbers, the ends included. */
void rv_sample_values(const rv_sample *s, int k, uint64_t seed, rv_tensor *x);

/* Replaces some floats of an input by NaN, infinities, zeros of both signs and the smallest
 * numbers. */
void rv_sample_special(int k, uint64_t seed, rv_tensor *x);

/* A random constant like x: a pure function of (seed, name). */
rv_var rv_direction(rv_var x, uint64_t seed, const char *name);
/* <x, rv_direction(x, seed, name)>. */
rv_var rv_project(rv_var x, uint64_t seed, const char *name);

/* loss + sum of <d loss / d leaf, r>. Its gradient holds the second derivatives, and is of the
 * first one's size even where they vanish. */
rv_var rv_second_order(rv_var loss, const rv_var *leaf, int count, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
