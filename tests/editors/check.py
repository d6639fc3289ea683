#!/usr/bin/env python3
"""The editors' files, tried in the editors: every token of every program here must be shown as what the lexer takes it for,
and every program must be indented as tg fmt has it.

    check.py vim|emacs|textmate BUILD [FILE...]

Exit status: 0, 1 something is shown as what it is not, 77 the editor is not installed."""
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True


def words_of(build):
    """Of each word of the language: its kind."""
    lines = subprocess.run([build + '/tg', '--words'], check=True, capture_output=True, text=True).stdout.splitlines()
    return {word: kind for kind, word in (line.split() for line in lines)}


def tokens_of(build, file, words):
    """Tokens as (line, byte column, column, class, text), columns from 1; the class of a word is its kind, of other names "name"."""
    out = subprocess.run([build + '/tests/tokens', file], check=True, capture_output=True, text=True).stdout
    tokens = []
    for row in out.splitlines():
        line, byte, column, kind, text = row.split(' ', 4)
        tokens.append([int(line), int(byte), int(column), kind, text])
    for i, t in enumerate(tokens):
        if t[3] != 'word':
            continue
        t[3] = words.get(t[4], 'name')
        if t[3] == 'declaration':
            before, after = tokens[i - 1] if i else None, tokens[i + 1]
            begins = not before or before[0] < t[0] or before[4] in ('{', ';')
            goes_on = after[0] == t[0] and (after[3] not in ('named', 'sign', 'other') or after[4] == '-')
            t[3] = 'declaration' if begins and goes_on else 'name'
    return tokens


def main():
    editor, build, files = sys.argv[1], os.path.abspath(sys.argv[2]), [os.path.abspath(f) for f in sys.argv[3:]]
    root = os.path.dirname(os.path.dirname(HERE))
    files = files or [HERE + '/sample.tg'] + sorted(
        f for where in ('stdlib', 'bench/tg', 'examples/mnist') for f in glob.glob(f'{root}/{where}/*.tg'))
    module = __import__('in_' + editor)
    if not module.is_there():
        print(f'{editor} is not installed')
        return 77
    words = words_of(build)
    tokens = {file: tokens_of(build, file, words) for file in files}
    with tempfile.TemporaryDirectory() as folder:
        shown, wrong = module.show(build, folder, tokens)
    seen = set()
    for file in files:
        for token, looks in zip(tokens[file], shown[file]):
            line, _, column, kind, text = token
            allowed = module.LOOKS.get(kind)
            seen.add(kind)
            if allowed is not None and looks not in allowed:
                wrong.append(f'{file}:{line}:{column}: {text} is {kind}, and shown as {looks or "nothing"}')
    missing = set(module.LOOKS) - seen
    if missing:
        wrong.append(f'no token was {", ".join(sorted(missing))}')
    for line in wrong[:40]:
        print(line)
    print(f'{sum(map(len, tokens.values()))} tokens of {len(files)} files, {len(wrong)} wrong')
    return 1 if wrong else 0


sys.exit(main())
