# Sourced by the scripts here: what tg needs from the system, and how to get it.
# shellcheck shell=sh

cd "$(dirname "$0")/.." || exit 1

# Debian's packages. A bare Debian 12 has none of them.
BUILD_PACKAGES="gcc libc6-dev make cmake pkg-config libopenblas-dev libsleef-dev libreadline-dev zlib1g-dev"
TEST_PACKAGES="$BUILD_PACKAGES libcmocka-dev libvterm-dev vim libonig5 emacs-nox clang clang-format clang-tidy cppcheck \
texlive-latex-base graphviz gnuplot-nox libxml2-utils python3-numpy python3-torch"

say() { printf 'tg: %s\n' "$*"; }
die() {
    printf 'tg: %s\n' "$*" >&2
    exit 1
}

# Those of the given packages that are not installed.
missing() {
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        "install ok installed") ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# need PACKAGES...: installs what is missing; touches neither the network nor sudo when nothing is.
need() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "this is no Debian system: I take it that these are installed: $*"
        return
    }
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || die "missing: $wanted- install them as root: apt-get install $wanted"
        as_root=sudo
    fi
    say "installing $wanted"
    # The lists of packages are often fresh enough; only when they are not, an update is needed.
    install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"
    # shellcheck disable=SC2086
    { $install $wanted || { $as_root apt-get update -q && $install $wanted; }; } >&2 ||
        die "missing, and could not be installed: $wanted- try: apt-get install $wanted"
}

# build FOLDER TYPE TARGET [OPTION...]: configures and builds, saying nothing unless something is wrong.
build() {
    folder=$1 type=$2 target=$3
    shift 3
    log=$(mktemp)
    if cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE="$type" "$@" >"$log" 2>&1 &&
        cmake --build "$folder" --target "$target" --parallel "$(nproc)" >>"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        die "the $type build in $folder failed, see above"
    fi
}
