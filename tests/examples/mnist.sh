#!/bin/sh
# A program of examples/mnist, with one epoch instead of ten, against the figures of the article it repeats.
#   mnist.sh TG PROGRAM
tg=$1 program=$2
unset TG_DATA TG_STDLIB
out=$("$tg" "$program" 1 2>&1) || {
    echo "$program failed: $out"
    exit 1
}
echo "$out"
# The cost of the first epoch, and the band that other shuffles fall into; the accuracy after it.
case $program in
*softmax_formula.tg) cost=0.4329 band=0.02 accuracy=0.85 ;;
*softmax_three_ways.tg) exit 0 ;; # its own checks are errors when they fail
*) cost=1.1837 band=0.01 accuracy=0.80 ;;
esac
echo "$out" | awk -v want=$cost -v band=$band -v least=$accuracy '
    /^Epoch: 0001 cost= / { cost = $NF; epochs++ }
    /^Accuracy: / { accuracy = $2 }
    END {
        if (epochs != 1) { print "expected one line \"Epoch: 0001 cost= ...\""; exit 1 }
        if (cost < want - band || cost > want + band) { print "cost " cost ", expected " want " +- " band; exit 1 }
        if (accuracy < least || accuracy > 0.95) { print "accuracy " accuracy ", expected at least " least; exit 1 }
    }'
