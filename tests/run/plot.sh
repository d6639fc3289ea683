#!/bin/sh
# Pictures in files, for terminals that show them, and where gnuplot is missing or slow.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
unset TG_PICTURES TERM_PROGRAM KITTY_WINDOW_ID
wrong() { echo "$*"; status=1; }

mkdir "$dir/empty" "$dir/slow" "$dir/broken"
said=$(PATH=$dir/empty "$tg" -e "plot(sin, -3, 3)" 2>&1)
case $said in *"apt-get install gnuplot-nox"*) ;; *) wrong "without gnuplot: $said" ;; esac
said=$(PATH=$dir/empty "$tg" -e "plot(sin, -3, 3, to=\"$dir/none.svg\")" 2>&1)
case $said in *"apt-get install gnuplot-nox"*) ;; *) wrong "without gnuplot: $said" ;; esac
[ -e "$dir/none.svg" ] && wrong "a picture without gnuplot"
[ "$(PATH=$dir/empty "$tg" -e 'imshow([[0, 1]], size=(20, 6))' 2>&1 | wc -l)" -gt 0 ] || wrong "imshow in text needs gnuplot"

# Ctrl-C ends gnuplot, and what gnuplot says is not shown as it is.
cat >"$dir/slow/gnuplot" <<END
#!/bin/sh
echo \$\$ >"$dir/pid"
exec sleep 60
END
printf '#!/bin/sh\necho "line 0: syntax error" >&2\nexit 1\n' >"$dir/broken/gnuplot"
chmod +x "$dir/slow/gnuplot" "$dir/broken/gnuplot"
PATH=$dir/slow:$PATH "$tg" -e "plot(sin, -3, 3, to=\"$dir/slow.svg\")" >"$dir/slow.out" 2>&1 &
drawing=$!
waited=0
while [ ! -s "$dir/pid" ] && [ $waited -lt 200 ]; do sleep 0.1; waited=$((waited + 1)); done
kill -INT $drawing
wait $drawing
[ $? = 130 ] || wrong "Ctrl-C while gnuplot works: exit status"
grep -q interrupted "$dir/slow.out" || wrong "Ctrl-C while gnuplot works: $(cat "$dir/slow.out")"
kill -0 "$(cat "$dir/pid")" 2>/dev/null && wrong "gnuplot outlives Ctrl-C"
[ -e "$dir/slow.svg" ] && wrong "a picture that was interrupted"
said=$(PATH=$dir/broken:$PATH "$tg" -e 'plot(sin, -3, 3)' 2>&1)
case $said in
*"syntax error"*) wrong "what gnuplot says comes through: $said" ;;
*"gnuplot could not draw this"*) ;;
*) wrong "a gnuplot that fails: $said" ;;
esac

if ! command -v gnuplot >/dev/null 2>&1; then
    echo "no gnuplot here, so nothing is drawn: apt-get install gnuplot-nox"
    exit $status
fi
"$tg" -e "x = var(2); größe_1 = x^2 * sin(x) + 0 * x;
seed(1)
plot(größe_1, x=-3..3, title=\"it's <b> & 'so' 日本\", to=\"$dir/curve.svg\")
f(t) = t^3 - 2*t; plot([f, f', f''], -2, 2, to=\"$dir/slopes.svg\")
plot([sin, cos], -3, 3, to=\"$dir/curve.png\", size=(300, 200))
scatter(randn(50), randn(50), color=randn(50) > 0, to=\"$dir/points.svg\")
hist(randn(100), to=\"$dir/bars.svg\")
contour((x, y) -> x^2 + y^2, -1..1, -1..1, path=[[1, 1], [0, 0]], to=\"$dir/contour.svg\")
imshow(rand(4, 9, 9), labels=[1, 2, 3, 4], to=\"$dir/images.svg\")
imshow(rand(4, 9, 9), to=\"$dir/images.png\")
imshow(randn(300, 300), to=\"$dir/large.png\", size=(100, 100))" >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
[ -s "$dir/out" ] && wrong "a picture that goes into a file is said as well: $(cat "$dir/out")"
for file in curve slopes points bars contour images; do
    xmllint --noout "$dir/$file.svg" || wrong "$file.svg is no SVG"
done
for text in größe_1 '&lt;b> &amp;' 日本 'slope 1.9726 at x = 2'; do
    grep -q "$text" "$dir/curve.svg" || wrong "curve.svg does not show $text"
done
grep -q "f''(t) = 6" "$dir/slopes.svg" || wrong "slopes.svg does not name the second derivative"
cat >"$dir/png.py" <<'END'
import struct, sys, zlib
for name, want in zip(sys.argv[1::2], sys.argv[2::2]):
    data = open(name, 'rb').read()
    assert data[:8] == b'\x89PNG\r\n\x1a\n', name
    at, pixels, size = 8, b'', None
    while at < len(data):
        n, kind = struct.unpack('>I4s', data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        assert zlib.crc32(kind + body) == struct.unpack('>I', data[at + 8 + n:at + 12 + n])[0], name
        if kind == b'IHDR': size = '%dx%d' % struct.unpack('>II', body[:8])
        if kind == b'IDAT': pixels += body
        at += 12 + n
    assert kind == b'IEND' and len(set(zlib.decompress(pixels))) > 4, name
    assert size == want, (name, size, want)
END
python3 "$dir/png.py" "$dir/curve.png" 300x200 "$dir/images.png" 800x600 "$dir/large.png" 100x100 || wrong "a PNG is none"
[ "$(find "$dir" -mindepth 1 -name '*.tmp*' | wc -l)" = 0 ] || wrong "temporary files stay"

# A pipe gets text without colours; TG_PICTURES has the last word.
esc=$(printf '\033')
"$tg" -e 'plot(sin, -3, 3)' | grep -q "$esc" && wrong "codes in a pipe"
TG_PICTURES=sixel "$tg" -e 'plot(sin, -3, 3)' | head -c 2 | grep -q "${esc}P" || wrong "no sixels"
TG_PICTURES=kitty "$tg" -e 'plot(sin, -3, 3)' | head -c 40 | grep -q "${esc}_Ga=T,f=100" || wrong "nothing for kitty"
exit $status
