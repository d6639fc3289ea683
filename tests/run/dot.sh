#!/bin/sh
# Drawings: graphviz reads what dot(e) writes, and pictures are made where it is installed, messages where not.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
program='input X[N, 3]; w = var([1, 2, 3]); b = var(0.5); P = sigmoid(X @ w + b)
X := [[1, 2, 3], [0, -1, 2]]; cost = mean(P^2) + where(b > 0, b, -b)'

PATH_WITHOUT=$dir/empty
mkdir "$PATH_WITHOUT"
note=$(cd "$dir" && PATH=$PATH_WITHOUT "$tg" -e "$program
dot(cost, to=\"none.svg\")" 2>&1)
case $note in
*"apt-get install graphviz"*) ;;
*) echo "without graphviz: $note"; status=1 ;;
esac
grep -q '^digraph' "$dir/none.svg.dot" || { echo "without graphviz no text is written"; status=1; }
[ -e "$dir/none.svg" ] && { echo "a picture without graphviz"; status=1; }

# Ctrl-C ends a drawing that takes long, and graphviz with it
slow=$dir/slow
mkdir "$slow"
cat >"$slow/dot" <<END
#!/bin/sh
echo \$\$ >"$dir/pid"
exec sleep 60
END
chmod +x "$slow/dot"
PATH=$slow:$PATH "$tg" -e "$program
dot(cost, to=\"$dir/slow.svg\")" >"$dir/slow.out" 2>&1 &
drawing=$!
waited=0
while [ ! -s "$dir/pid" ] && [ $waited -lt 200 ]; do sleep 0.1; waited=$((waited + 1)); done
kill -INT $drawing
wait $drawing
grep -q interrupted "$dir/slow.out" || { echo "Ctrl-C while graphviz runs: $(cat "$dir/slow.out")"; status=1; }
kill -0 "$(cat "$dir/pid")" 2>/dev/null && { echo "graphviz outlives Ctrl-C"; status=1; kill "$(cat "$dir/pid")"; }
[ -e "$dir/slow.svg" ] && { echo "a picture that was interrupted"; status=1; }

if ! command -v dot >/dev/null 2>&1; then
    echo "no graphviz here, so nothing is drawn: apt-get install graphviz"
    exit $status
fi
"$tg" -e "$program
dot(cost, adjoints=true, to=\"$dir/cost.svg\"); dot(cost, to=\"$dir/cost.png\"); dot(cost, to=\"$dir/cost.dot\")
größe = var([1, 2]); dot(sum(größe[0:1] * 2), to=\"$dir/unicode.svg\")
t = b; for i in 1..1000 { t = sin(t) * i }
dot(t, to=\"$dir/large.dot\")" >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
for file in cost unicode; do
    grep -q '</svg>' "$dir/$file.svg" || { echo "$file.svg is no picture"; status=1; }
done
head -c 4 "$dir/cost.png" | grep -q PNG || { echo "cost.png is no picture"; status=1; }
for text in '\[N, 3\]' 'adjoint' 'sigmoid' 'mean' 'cost'; do
    grep -q "$text" "$dir/cost.svg" || { echo "cost.svg does not show $text"; status=1; }
done
grep -q 'more nodes' "$dir/large.dot" || { echo "a large graph is not cut"; status=1; }
for file in cost large; do
    dot -Tsvg "$dir/$file.dot" >/dev/null || { echo "$file.dot is not DOT"; status=1; }
done
exit $status
