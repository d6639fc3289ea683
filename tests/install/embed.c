/* What a program that embeds tg does, for the test of the installation: C99, and nothing but tg.h.
 * The static build is told the folder of the standard library, which nothing beside the program
 * shows. */
#define _POSIX_C_SOURCE 200112L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <tg.h>

int main(int argc, char **argv) {
    if (argc > 1) setenv("TG_STDLIB", argv[1], 1);
    tg_state *s = tg_open(NULL);
    if (!s) return 1;
    if (tg_error(s)[0]) {
        puts(tg_error(s));
        return 1;
    }
    double g;
    const double data[12] = {0};
    int64_t dim[8] = {6, 2};
    int rank;
    size_t count;
    if (tg_run(s, "demo", "x = var(2); g = grad(x^3, x)", TG_QUIET) != TG_DONE ||
        tg_get_number(s, "g", &g) != TG_DONE || tg_set_tensor(s, "t", 2, dim, data) != TG_DONE ||
        tg_get_tensor(s, "t", &rank, dim, NULL, 0, &count) != TG_DONE || rank != 2 || count != 12) {
        puts(tg_error(s));
        return 1;
    }
    printf("%g and %d rows\n", g, (int)dim[0]);
    tg_close(s);
    return 0;
}
