/* Assumptions: what the user says of data that tg cannot know. Each is a condition, a formula such
 * as sum(Y, axis=1) == 1 or x > 0, and has a number; a result that rests on some of them carries
 * their numbers as a bit mask. The simplifier asks here what it may take for granted
 * (simplify_assume.c, sign.c), a store whether the data keep to it (assume_check.c), and who draws
 * random values how they can (assume_project.c).
 *
 * Facts, and the nodes in them, belong to the session (rt->assumed); arguments are borrowed. A
 * dropped assumption keeps its text for the results that carry its number. */
#ifndef TG_RUNTIME_ASSUME_H
#define TG_RUNTIME_ASSUME_H

#include "runtime/graph/node.h"

enum { TG_FACTS = 32 };

/* Makes random values obey what is assumed of their cells: value[i], of cell[i], contiguous and
 * nobody else's, is changed in place. *unmet (may be NULL) gets the assumptions on these cells that
 * do not hold afterwards; tg_assume_text says what they are. False: an error. */
bool tg_assume_project(tg_rt *rt, int ncells, tg_cell *const *cell, tg_tensor *const *value,
                       uint32_t *unmet);

#endif
