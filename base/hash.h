/* Hashing of text, for every table that is looked up by a name: FNV-1a (Fowler, Noll, Vo), 64 bits.
 */
#ifndef TG_BASE_HASH_H
#define TG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t tg_hash_bytes(const char *s, size_t n) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h;
}

static inline uint64_t tg_hash_text(const char *s) {
    return tg_hash_bytes(s, strlen(s));
}

#endif
