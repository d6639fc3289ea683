# Sourced by the lint scripts, which run in the root of the project: the C files of tg, and its parts.
PARTS="base grammar runtime interp picture command include tests"
c_files() { find $PARTS -name '*.c' | sort; }
h_files() { find $PARTS -name '*.h' | sort; }
# The house's flags, for compilers called by hand.
HOUSE="-std=c11 -D_GNU_SOURCE -I. -Iinclude -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror"
