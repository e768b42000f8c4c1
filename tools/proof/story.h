/* The article's derivation of the CURNN's gradient held against the library's: the numbers behind
 * `recurve verify`. */
#ifndef RV_TOOLS_PROOF_STORY_H
#define RV_TOOLS_PROOF_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tools/by_hand/curnn_by_hand.h"

enum { STORY_WEIGHTS = 6, STORY_MISTAKES = 5, STORY_IMAGES = 8 };

/* What the numbers must keep. An error of a gradient is its largest difference from the right one,
 * as a fraction of the largest element, or of STORY_FLOOR where a saturated unit leaves next to
 * nothing of the gradient but rounding. */
#define STORY_NUMERIC 1e-7  /* at most: the library against central differences */
#define STORY_EXACT 1e-12   /* at most: two right derivations, which differ by rounding alone */
#define STORY_MISTAKEN 1e-2 /* at least: what is wrong */
#define STORY_FLOOR 1e-4

/* The net at which gradients are compared. */
typedef struct story_setting {
    double pixel_scale;     /* of pixels 0..16 */
    double recurrent_scale; /* of the article's first recurrent kernels */
    double step;            /* of the differences, small where large pixels bend the cost */
} story_setting;

/* First as in the article. Its units are saturated and its recurrent kernels tiny, so
 * that two of the mistakes hardly show. In the second, lively setting all do. */
enum { STORY_SETTINGS = 2 };
extern const story_setting story_settings[STORY_SETTINGS];

typedef struct story_weight {
    const char *name;
    bool published_right; /* whether the article's derivation gets this one right */
    double differences;   /* errors: of the library against central differences, */
    double corrected;     /* of the corrected derivation against the library, */
    double published;     /* of the published one against the library */
    double cosine, ratio; /* of the published gradient to the library's, as vectors */
} story_weight;

typedef struct story_mistake {
    const by_hand_mistake *mistake;
    double before, after; /* worst error without its correction, and with all corrections */
} story_mistake;

typedef struct story {
    story_weight weight[STORY_SETTINGS][STORY_WEIGHTS];
    story_mistake mistake[STORY_MISTAKES]; /* in the lively setting */
    bool ok;                               /* all numbers are as they must be */
} story;

bool story_tell(story *s, uint64_t seed, rv_error *error);

#endif
