/* Functions that emitted C is made of. */
#ifndef TG_RUNTIME_C_HELPERS_H
#define TG_RUNTIME_C_HELPERS_H

/* One definition; it may need those of rows and tables before it. */
typedef struct tg_c_helper {
    const char *name, *text;
} tg_c_helper;
/* Each ends with name == NULL. */
extern const tg_c_helper tg_c_helpers_lines[], tg_c_helpers_places[], tg_c_helpers_matrix[],
    tg_c_helpers_spectrum[], tg_c_helpers_windows[];

#endif
