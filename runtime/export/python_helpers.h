/* Functions that spellings in Python need beyond what NumPy and PyTorch have. */
#ifndef TG_RUNTIME_PYTHON_HELPERS_H
#define TG_RUNTIME_PYTHON_HELPERS_H

/* A function may call those above it. `text` is its definition, `{np}` free of indentation. */
typedef struct tg_helper {
    const char *name;
    const char *numpy, *torch; /* NULL: not needed there */
} tg_helper;
extern const tg_helper tg_python_helpers[]; /* ends with name == NULL */

#endif
