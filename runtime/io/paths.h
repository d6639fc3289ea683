/* Where tg's own files are: the data sets, the standard library and the lessons, in the build tree,
 * in an installed tree wherever it was moved to, or where the environment says. */
#ifndef TG_RUNTIME_IO_PATHS_H
#define TG_RUNTIME_IO_PATHS_H

#include "runtime/rt.h"

/* The folder of the data set `name` ("mnist", "fashion") into out. On false the error lists the
 * folders tried: $TG_DATA/name, $TG_DATA itself, share/tg/data/name beside the program or library,
 * the build tree's examples/data/name, the installed share folder, and for "fashion" where Debian's
 * package puts it. */
bool tg_data_find(tg_rt *rt, const char *name, char *out, size_t size);
/* The path of the file `name` ("poems/tang300.txt") that comes with tg: in $TG_DATA, share/tg/data
 * beside the program or library, the build tree's examples/data, the installed share folder. */
bool tg_data_file(tg_rt *rt, const char *name, char *out, size_t size);
/* The file `name` ("nn.tg") of the standard library: $TG_STDLIB, share/tg/stdlib beside the
 * program or library, the build tree's stdlib, the installed share folder. */
bool tg_stdlib_find(tg_rt *rt, const char *name, char *out, size_t size);
/* The folder of the lessons: $TG_LESSONS, share/tg/lessons beside the program or library, the build
 * tree's examples/class, the installed share folder. */
bool tg_lessons_find(tg_rt *rt, char *out, size_t size);

#endif
