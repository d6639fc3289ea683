#!/bin/sh
# From a fresh Debian 12 to a trained classifier of handwritten digits: installs what is missing, builds tg, and runs
# examples/mnist/softmax_grad.tg on the digits that come with it. Run it again at no cost.
set -eu
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086
need $BUILD_PACKAGES
say "building build/tg"
build build Release tg
say "training: examples/mnist/softmax_grad.tg"
build/tg examples/mnist/softmax_grad.tg || die "the demo failed, see above"
say "the demo is done; now try: build/tg, or build/tg lesson"
